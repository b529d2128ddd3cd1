"""Parameters and operations of a vision transformer, from its config."""

from __future__ import annotations

from featbank.backbones.backbone import Config, Provides


def describe_vit(config: Config, *, image_px: int) -> Provides:
    """What a ``featbank.layers.vit`` network of a config provides and costs.

    Args:
        config: Fields of ``VitConfig``.
        image_px: Side that GFLOP are told for.
    """
    has_norm, registers = config.get("has_norm", True), config.get("registers", 0)
    features = ["cls"] * has_norm + ["mean", "mean_raw"]
    features += ["registers"] * bool(registers) + ["tokens"]
    return Provides(
        features=tuple(features),
        dim=config["dim"],
        depth=config["depth"],
        patch_px=config["patch_px"],
        registers=registers,
        gflop=_flop(config, image_px) / 1e9,
        parameters=_parameters(config),
    )


def _matrices(config: Config) -> int:
    # Queries, keys, values and their projection; the feed-forward layer, gated or not.
    dim, mlp = config["dim"], config["mlp_dim"]
    return int(4 * dim * dim + (3 if config.get("swiglu") else 2) * dim * mlp)


def _embedding(config: Config) -> int:
    return int(config["channels"] * config["patch_px"] ** 2 * config["dim"])


def _flop(config: Config, image_px: int) -> float:
    tokens = 1 + config.get("registers", 0) + (image_px // config["patch_px"]) ** 2
    attention = 2 * tokens**2 * config["dim"]
    blocks = config["depth"] * (tokens * _matrices(config) + attention)
    # Two operations a multiply-add.
    return float(2 * (blocks + tokens * _embedding(config)))


def _parameters(config: Config) -> int:
    dim, mlp, depth = config["dim"], config["mlp_dim"], config["depth"]
    feed_forward_biases = 2 * mlp + dim if config.get("swiglu") else mlp + dim
    biases = 4 * dim + feed_forward_biases
    scales = 2 * dim if config.get("layer_scale") else 0
    block = _matrices(config) + biases + scales + 4 * dim
    norms = 2 * dim * (config.get("has_norm", True) + config.get("has_fc_norm", False))
    tokens = dim * (2 + config["grid"] ** 2 + config.get("registers", 0))
    return int(depth * block + _embedding(config) + dim + norms + tokens)
