"""``vit-*``: plain vision transformers from timm, DINO v1 and MAE weights."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from featbank.backbones.backbone import BackboneSpec, Config, Provides, State
from featbank.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.backbones.backbone import Encoder

# dim, heads and depth of DeiT (Touvron et al. 2021, arXiv:2012.12877, table 1) and of ViT-L
# (Dosovitskiy et al. 2021, table 1).
_SIZES = {
    "tiny": (192, 3, 12),
    "small": (384, 6, 12),
    "base": (768, 12, 12),
    "large": (1024, 16, 24),
}
_PATCH_PX = 16
_IMAGE_PX = 224
# Parts of training checkpoints that no frozen encoder needs: classifiers, the pre-logits layer,
# MAE's decoder.
_IGNORED = re.compile(r"(head|head_dist|pre_logits|decoder_\w+)\.|mask_token$|decoder_pos_embed$")


def _config(size: str) -> dict[str, int]:
    dim, heads, depth = _SIZES[size]
    return {
        "dim": dim,
        "depth": depth,
        "heads": heads,
        "patch_px": _PATCH_PX,
        "channels": 3,
        "grid": _IMAGE_PX // _PATCH_PX,
        "mlp_dim": 4 * dim,
    }


def _describe(config: Config) -> Provides:
    dim, depth, channels = config["dim"], config["depth"], config["channels"]
    patch, mlp = config["patch_px"], config["mlp_dim"]
    tokens = 1 + (_IMAGE_PX // patch) ** 2
    block = 4 * dim * dim + 2 * dim * mlp
    # Two operations a multiply-add: projections, attention, and the patch embedding.
    flop = (
        2 * depth * (tokens * block + 2 * tokens**2 * dim) + 2 * tokens * channels * patch**2 * dim
    )
    norms = depth * 4 * dim + 2 * dim
    biases = depth * (5 * dim + mlp) + dim
    weights = depth * block + channels * patch**2 * dim + dim * (2 + config["grid"] ** 2)
    return Provides(
        features=("cls", "mean", "tokens"),
        dim=dim,
        depth=depth,
        patch_px=patch,
        gflop=flop / 1e9,
        parameters=weights + biases + norms,
    )


def _build(config: Config, state: State) -> Encoder:
    from featbank.layers.vit import VisionTransformer, VitConfig

    network = VisionTransformer(VitConfig(**config))
    network.load_state_dict(dict(state))
    return network.eval()


def _initial(config: Config, seed: int) -> State:
    from featbank.layers.vit import VitConfig, random_state

    return random_state(VitConfig(**config), seed)


def _read(config: Config, state: State, source: str) -> tuple[Config, State]:
    kept = {name: value for name, value in state.items() if not _IGNORED.match(name)}
    _check_keys(config, kept, source)
    _check_shape(config, kept, source)
    projection = kept["patch_embed.proj.weight"]
    found = {
        **config,
        "channels": int(projection.shape[1]),
        "patch_px": int(projection.shape[2]),
        "grid": _square_side(kept["pos_embed"].shape[1] - 1, source),
        "mlp_dim": int(kept["blocks.0.mlp.fc1.weight"].shape[0]),
    }
    return found, {name: value.float() for name, value in kept.items()}


def _check_keys(config: Config, state: Mapping[str, Any], source: str) -> None:
    from featbank.layers.vit import VisionTransformer, VitConfig

    expected = set(VisionTransformer(VitConfig(**{**config, "grid": 1})).state_dict())
    missing, extra = sorted(expected - set(state)), sorted(set(state) - expected)
    if missing or extra:
        lacks = f"lacks {len(missing)} tensors ({', '.join(missing[:2]) or 'none'})"
        adds = f"has {len(extra)} others ({', '.join(extra[:2]) or 'none'})"
        raise WeightsError(
            source,
            f"{lacks} and {adds}",
            f"a vision transformer of {config['depth']} blocks under timm, DINO or MAE names",
            "Choose another --model, or convert the file.",
        )


def _check_shape(config: Config, state: Mapping[str, Any], source: str) -> None:
    dim = int(state["cls_token"].shape[-1])
    if dim != config["dim"]:
        fitting = [f"vit-{name}" for name, (width, _, _) in _SIZES.items() if width == dim]
        raise WeightsError(
            source,
            f"its features are {dim} wide",
            f"{config['dim']} for this model",
            f"Pass --model {fitting[0]}." if fitting else "Choose another --model.",
        )


def _square_side(tokens: int, source: str) -> int:
    side = math.isqrt(tokens)
    if side * side != tokens:
        raise WeightsError(
            source,
            f"its position embedding has {tokens} patches",
            "a square number after the CLS token",
            "Choose another --model.",
        )
    return side


SPECS = tuple(
    BackboneSpec(
        name=f"vit-{size}",
        summary=f"ViT-{size.capitalize()}/16 from a timm, DINO v1 or MAE weights file",
        config=_config(size),
        default_feature="cls",
        image_size=_IMAGE_PX,
        normalise=None,
        compute_dtype="bfloat16",
        takes_weights=True,
        licence="the weights file's own",
        weights_from="--weights FILE or --weights random (untrained)",
        describe=_describe,
        build=_build,
        read=_read,
        initial=_initial,
    )
    for size in _SIZES
)
