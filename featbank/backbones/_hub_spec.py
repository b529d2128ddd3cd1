"""``hf:<id or folder>``: a backbone made from a transformers folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.backbones._hub_models import (
    VIT_TYPES,
    build_hub,
    config_of,
    describe_hub,
    initial_hub,
    read_hub,
)
from featbank.backbones._vit_build import build_vit, initial_vit
from featbank.backbones._vit_cost import describe_vit
from featbank.backbones.backbone import BackboneSpec
from featbank.backbones.dinov2 import read_dinov2
from featbank.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.backbones.backbone import Config, Provides, WeightsFile

# One behaviour for DINOv2 whatever file it comes from, so these are our own network.
_DINOV2 = ("dinov2", "dinov2_with_registers")
_IMAGE_PX = 224


def hub_spec(name: str, file: WeightsFile) -> BackboneSpec:
    """A backbone of any vision transformer that transformers reads.

    Args:
        name: As the user typed it, ``hf:…``.
        file: The folder with its ``config.json``.

    Raises:
        WeightsError: A model of another family.
    """
    kind = file.config.get("model_type")
    if kind in _DINOV2:
        return _dinov2(name, file.config)
    if kind not in VIT_TYPES:
        raise WeightsError(
            file.name,
            f"its model_type is {kind!r}",
            f"one of {', '.join((*VIT_TYPES, *_DINOV2))}",
            "Choose a vision transformer, or a model of 'featbank models'.",
        )
    config = config_of(dict(file.config))
    features = describe_hub(config).features
    return BackboneSpec(
        name=name,
        summary=f"{kind} from {file.name}",
        config=config,
        describe=describe_hub,
        build=build_hub,
        read=read_hub,
        initial=initial_hub,
        **_shared(file, "cls" if "cls" in features else "mean"),
    )


def _shared(file: WeightsFile, feature: str) -> dict[str, Any]:
    return {
        "default_feature": feature,
        "image_size": _IMAGE_PX,
        # The folder's own numbers; without them the user has to say.
        "normalise": "processor" if file.processor.get("image_mean") else None,
        "compute_dtype": "bfloat16",
        "takes_weights": True,
        "licence": "the weights' own",
        "weights_from": file.name,
    }


def _dinov2(name: str, settings: Mapping[str, Any]) -> BackboneSpec:
    registers = int(settings.get("num_register_tokens", 0))
    is_gated = bool(settings.get("use_swiglu_ffn", False))
    dim = int(settings["hidden_size"])
    hidden = int(dim * settings.get("mlp_ratio", 4))
    config = {
        "dim": dim,
        "depth": int(settings["num_hidden_layers"]),
        "heads": int(settings["num_attention_heads"]),
        "patch_px": int(settings["patch_size"]),
        "channels": int(settings.get("num_channels", 3)),
        "grid": int(settings["image_size"]) // int(settings["patch_size"]),
        "mlp_dim": (int(hidden * 2 / 3) + 7) // 8 * 8 if is_gated else hidden,
        "registers": registers,
        "layer_scale": True,
        "swiglu": is_gated,
        "positions": "antialiased" if registers else "offset",
    }
    return BackboneSpec(
        name=name,
        summary=f"DINOv2 from {name.removeprefix('hf:')}",
        config=config,
        default_feature="cls",
        image_size=_IMAGE_PX,
        normalise="imagenet",
        compute_dtype="bfloat16",
        takes_weights=True,
        licence="the weights' own",
        weights_from=name.removeprefix("hf:"),
        describe=_describe,
        build=build_vit,
        read=read_dinov2,
        answers=("--positions",),
        initial=initial_vit,
    )


def _describe(config: Config) -> Provides:
    return describe_vit(config, image_px=_IMAGE_PX)
