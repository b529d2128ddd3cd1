"""Vision transformers under the names of transformers and of timm.

References:
    transformers ``models/dinov2/convert_dinov2_to_hf.py`` and
    ``models/vit/convert_vit_timm_to_pytorch.py``; timm
    ``models/vision_transformer.py:_convert_dinov2``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from featbank.errors import WeightsError

if TYPE_CHECKING:
    from featbank.backbones.backbone import Config, State

_TRANSFORMERS, _TIMM = "a transformers export", "a timm export"
# LayerNorm's epsilon of ``featbank.layers.transformer``, which stands beside torch.
_NORM_EPS = 1e-6
_BLOCK = re.compile(r"blocks\.(\d+)\.(.+)")
_WHOLE = {
    "cls_token": "embeddings.cls_token",
    "pos_embed": "embeddings.position_embeddings",
    "register_tokens": "embeddings.register_tokens",
    "patch_embed.proj.weight": "embeddings.patch_embeddings.projection.weight",
    "patch_embed.proj.bias": "embeddings.patch_embeddings.projection.bias",
    "norm.weight": "layernorm.weight",
    "norm.bias": "layernorm.bias",
}
_DINOV2_PARTS = {
    "attn.proj": "attention.output.dense",
    "ls1.gamma": "layer_scale1.lambda1",
    "ls2.gamma": "layer_scale2.lambda1",
    "mlp.w12": "mlp.weights_in",
    "mlp.w3": "mlp.weights_out",
}
_TIMM_PARTS = {"register_tokens": "reg_token", "mlp.w12.": "mlp.fc1.", "mlp.w3.": "mlp.fc2."}
_VIT_PARTS = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}


def to_transformers(config: Config, state: State) -> tuple[str, dict[str, Any], State]:
    """A network as one of the transformers library.

    Off the native size the library resizes positions in its own way, which differs by up to 4e-3
    in features.

    Args:
        config: Fields of ``VitConfig``.
        state: Tensors under the names of ``VisionTransformer``.

    Returns:
        Class name, ``config.json``, and tensors as the library saves them: ``ViTModel`` for plain
        networks, ``Dinov2Model`` for those with LayerScale or gated layers,
        ``Dinov2WithRegistersModel`` for those with registers. Where a class has LayerScale and the
        network has none, its factors are one.

    Raises:
        WeightsError: The library has no such network; names what does not fit.
    """
    shape = _defaults(config)
    _refuse(_common_misfits(shape, has_norm=True), _TRANSFORMERS)
    if not (shape["registers"] or shape["layer_scale"] or shape["swiglu"]):
        settings = {"model_type": "vit", "intermediate_size": shape["mlp_dim"]}
        return _transformers("ViTModel", settings, shape, _renamed(state, _VIT_PARTS))
    ratio = _mlp_ratio(shape)
    settings = {"mlp_ratio": ratio, "use_swiglu_ffn": shape["swiglu"]}
    tensors = _renamed(_with_layer_scale(shape, state), _DINOV2_PARTS)
    # The library's class has one, for masked training; features never use it.
    tensors["embeddings.mask_token"] = tensors["embeddings.cls_token"].new_zeros(1, shape["dim"])
    if shape["registers"]:
        settings |= {"num_register_tokens": shape["registers"]}
        settings["model_type"] = "dinov2_with_registers"
        return _transformers("Dinov2WithRegistersModel", settings, shape, tensors)
    return _transformers("Dinov2Model", {**settings, "model_type": "dinov2"}, shape, tensors)


def to_timm(config: Config, state: State) -> State:
    """Tensors under timm's names, for a ``VisionTransformer`` with ``timm_arguments``.

    Args:
        config: Fields of ``VitConfig``.
        state: Tensors under the names of ``featbank.layers.vit.VisionTransformer``.

    Raises:
        WeightsError: timm has no such network; names what does not fit.
    """
    shape = _defaults(config)
    _refuse(_common_misfits(shape, has_norm=False), _TIMM)
    renamed = {_timm_name(name): value for name, value in state.items()}
    if shape["registers"]:
        # With registers timm's networks have positions for patches alone (``no_embed_class``).
        positions = renamed["pos_embed"]
        renamed["cls_token"] = renamed["cls_token"] + positions[:, :1]
        renamed["pos_embed"] = positions[:, 1:].contiguous()
    return renamed


def timm_arguments(config: Config) -> dict[str, Any]:
    """What ``timm.models.vision_transformer.VisionTransformer`` takes to hold ``to_timm``.

    ``mlp_layer`` is the name of a class of ``timm.layers``.
    """
    shape = _defaults(config)
    arguments = {
        "img_size": shape["grid"] * shape["patch_px"],
        "patch_size": shape["patch_px"],
        "in_chans": shape["channels"],
        "num_classes": 0,
        "embed_dim": shape["dim"],
        "depth": shape["depth"],
        "num_heads": shape["heads"],
        # timm counts both halves of a gated layer.
        "mlp_ratio": (1 + shape["swiglu"]) * shape["mlp_dim"] / shape["dim"],
        "init_values": 1.0 if shape["layer_scale"] else None,
        "reg_tokens": shape["registers"],
        "no_embed_class": bool(shape["registers"]),
        "global_pool": "avg" if shape["has_fc_norm"] else "token",
    }
    return {**arguments, "mlp_layer": "SwiGLUPacked"} if shape["swiglu"] else arguments


def _defaults(config: Config) -> dict[str, Any]:
    from dataclasses import asdict

    from featbank.backbones.building.vit_build import network_config
    from featbank.layers.vit_config import VitConfig

    return asdict(VitConfig(**network_config(config)))


def _common_misfits(shape: dict[str, Any], *, has_norm: bool) -> list[str]:
    found = []
    if shape["padding_px"]:
        found.append(f"patches padded by {shape['padding_px']} px")
    if shape["has_fc_norm"] and (has_norm or shape["has_norm"]):
        found.append("a norm after pooling")
    if has_norm and not shape["has_norm"]:
        found.append("no norm of its tokens")
    return found


def _refuse(misfits: list[str], subject: str) -> None:
    if misfits:
        raise WeightsError(
            subject,
            f"the network has {', '.join(misfits)}",
            "a vision transformer with a final norm of its tokens alone",
            "Take the checkpoint's safetensors as they are.",
        )


def _mlp_ratio(shape: dict[str, Any]) -> int:
    """The library knows feed-forward widths by their ratio to the features' alone."""
    dim, hidden = shape["dim"], shape["mlp_dim"]
    widths: dict[int, int] = {_hidden(dim, n, shape["swiglu"]): n for n in range(1, 17)}
    if hidden not in widths:
        _refuse([f"feed-forward layers of {hidden} for features of {dim}"], _TRANSFORMERS)
    return widths[hidden]


def _hidden(dim: int, ratio: int, is_gated: bool) -> int:
    # transformers ``Dinov2SwiGLUFFN``: two thirds, rounded up to a multiple of 8.
    return (int(dim * ratio * 2 / 3) + 7) // 8 * 8 if is_gated else dim * ratio


def _transformers(
    name: str, settings: dict[str, Any], shape: dict[str, Any], tensors: dict[str, Any]
) -> tuple[str, dict[str, Any], State]:
    common = {
        "architectures": [name],
        "hidden_size": shape["dim"],
        "num_hidden_layers": shape["depth"],
        "num_attention_heads": shape["heads"],
        "image_size": shape["grid"] * shape["patch_px"],
        "patch_size": shape["patch_px"],
        "num_channels": shape["channels"],
        "layer_norm_eps": _NORM_EPS,
        "hidden_act": "gelu",
        "qkv_bias": True,
    }
    return name, {**common, **settings}, tensors


def _with_layer_scale(shape: dict[str, Any], state: State) -> State:
    if shape["layer_scale"]:
        return state
    ones = state["cls_token"].new_ones(shape["dim"])
    names = [f"blocks.{i}.{ls}.gamma" for i in range(shape["depth"]) for ls in ("ls1", "ls2")]
    return {**state, **{name: ones.clone() for name in names}}


def _renamed(state: State, parts: dict[str, str]) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for name, value in state.items():
        block = _BLOCK.fullmatch(name)
        if block is None:
            renamed[_WHOLE[name]] = value
        else:
            _rename_in_block(renamed, f"encoder.layer.{block[1]}.", block[2], value, parts)
    return renamed


def _rename_in_block(
    renamed: dict[str, Any],
    start: str,
    name: str,
    value: Any,  # noqa: ANN401 - a tensor
    parts: dict[str, str],
) -> None:
    if name.startswith("attn.qkv."):
        ending = name.removeprefix("attn.qkv.")
        for part, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
            renamed[f"{start}attention.attention.{part}.{ending}"] = third.contiguous()
        return
    for ours, theirs in parts.items():
        if name == ours or name.startswith(f"{ours}."):
            renamed[start + theirs + name.removeprefix(ours)] = value
            return
    renamed[start + name] = value


def _timm_name(name: str) -> str:
    for ours, theirs in _TIMM_PARTS.items():
        name = name.replace(ours, theirs)
    return name
