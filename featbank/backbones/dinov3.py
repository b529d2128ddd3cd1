"""``dinov3-*``: DINOv3, on web images and on satellite images, through transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.backbones.backbone import BackboneSpec
from featbank.backbones.building.hub_models import (
    build_hub,
    config_of,
    describe_hub,
    initial_hub,
    read_hub,
)
from featbank.backbones.building.vit_cost import describe_vit

if TYPE_CHECKING:
    from collections.abc import Iterator

# dim, heads, depth, hidden width, parameters, letter of the hub id: transformers
# ``models/dinov3_vit/convert_dinov3_vit_to_hf.py``.
_SIZES = {
    "small": (384, 6, 12, 1536, 21_596_544, "s"),
    "base": (768, 12, 12, 3072, 85_660_416, "b"),
    "large": (1024, 16, 24, 4096, 303_129_600, "l"),
}
_PATCH_PX, _IMAGE_PX, _REGISTERS = 16, 224, 4
# name, size, training images of the hub id, its input statistics.
_RELEASES = (
    ("dinov3-small", "small", "lvd1689m", "imagenet"),
    ("dinov3-base", "base", "lvd1689m", "imagenet"),
    ("dinov3-large", "large", "lvd1689m", "imagenet"),
    ("dinov3-large-sat", "large", "sat493m", "sat493m"),
)


def _settings(size: str) -> dict[str, Any]:
    dim, heads, depth, hidden, _, _ = _SIZES[size]
    return {
        "model_type": "dinov3_vit",
        "hidden_size": dim,
        "num_attention_heads": heads,
        "num_hidden_layers": depth,
        "intermediate_size": hidden,
        "num_register_tokens": _REGISTERS,
        "patch_size": _PATCH_PX,
        "image_size": _IMAGE_PX,
        "rope_theta": 100.0,
        "layer_norm_eps": 1e-5,
        "layerscale_value": 1.0,
        "key_bias": False,
    }


def _config(size: str) -> dict[str, Any]:
    dim, heads, depth, hidden, parameters, _ = _SIZES[size]
    shape = {"dim": dim, "depth": depth, "heads": heads, "patch_px": _PATCH_PX, "channels": 3}
    shape |= {"grid": 0, "mlp_dim": hidden, "registers": _REGISTERS}
    gflop = describe_vit(shape, image_px=_IMAGE_PX).gflop
    return {**config_of(_settings(size)), "parameters": parameters, "gflop": gflop}


def _specs() -> Iterator[BackboneSpec]:
    for name, size, images, statistics in _RELEASES:
        hub_id = f"facebook/dinov3-vit{_SIZES[size][-1]}16-pretrain-{images}"
        kind = "satellite images (SAT-493M)" if images == "sat493m" else "LVD-1689M"
        yield BackboneSpec(
            name=name,
            summary=f"DINOv3 ViT-{size}/16 with registers, self-supervised on {kind}",
            config=_config(size),
            default_feature="cls",
            image_size=_IMAGE_PX,
            normalise=statistics,
            compute_dtype="bfloat16",
            takes_weights=True,
            licence="DINOv3 License (access on request)",
            weights_from=f"hub id {hub_id}; ask for access on its page first",
            describe=describe_hub,
            build=build_hub,
            read=read_hub,
            initial=initial_hub,
            hub_id=hub_id,
        )


SPECS = tuple(_specs())
