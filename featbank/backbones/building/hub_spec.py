"""``hf:<id or folder>``: a backbone made from a transformers folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.backbones.answers import POSITIONS
from featbank.backbones.backbone import BackboneSpec
from featbank.backbones.building.hub_models import (
    VIT_TYPES,
    build_hub,
    config_of,
    describe_hub,
    initial_hub,
    library_settings,
    read_hub,
)
from featbank.backbones.building.transformers_settings import other_setting, whole_settings
from featbank.backbones.building.vit_build import build_vit, initial_vit
from featbank.backbones.building.vit_cost import describe_vit
from featbank.backbones.dinov2 import DINOV2_TYPES, read_dinov2
from featbank.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.backbones.backbone import Config, Provides, WeightsFile

_IMAGE_PX = 224
# Wider feed-forward layers than any published network's would be a mistake of the file.
_MAX_RATIO = 1000


def hub_spec(name: str, file: WeightsFile) -> BackboneSpec:
    """A backbone of any vision transformer that transformers reads.

    Args:
        name: As the user typed it, ``hf:…``.
        file: The folder with its ``config.json``.

    Raises:
        WeightsError: A model of another family.
    """
    kind = file.config.get("model_type")
    if kind in DINOV2_TYPES:
        # One behaviour for DINOv2 whatever file it comes from, so these are our own network.
        return _dinov2(name, file)
    if kind not in VIT_TYPES:
        raise WeightsError(
            file.name,
            f"its model_type is {kind!r}",
            f"one of {', '.join((*VIT_TYPES, *DINOV2_TYPES))}",
            "Choose a vision transformer, or a model of 'featbank models'.",
        )
    config = config_of(library_settings(file.config, file.name))
    features = describe_hub(config).features
    return BackboneSpec(
        name=name,
        summary=f"{kind} from {file.name}",
        config=config,
        describe=describe_hub,
        build=build_hub,
        read=read_hub,
        initial=initial_hub,
        **_shared(file, "cls" if "cls" in features else "mean", normalise=None),
    )


def _shared(file: WeightsFile, feature: str, *, normalise: str | None) -> dict[str, Any]:
    return {
        "default_feature": feature,
        "image_size": _IMAGE_PX,
        # The folder's own numbers; without them the family's, or the user has to say.
        "normalise": "processor" if file.processor.get("image_mean") else normalise,
        "compute_dtype": "bfloat16",
        "takes_weights": True,
        "licence": "the weights' own",
        "weights_from": file.name,
    }


def _dinov2(name: str, file: WeightsFile) -> BackboneSpec:
    short = name.removeprefix("hf:")
    return BackboneSpec(
        name=name,
        summary=f"DINOv2 from {short}",
        config=_dinov2_config(whole_settings(file.config, file.name), file.name),
        describe=_describe,
        build=build_vit,
        read=read_dinov2,
        answers=(POSITIONS,),
        initial=initial_vit,
        **{**_shared(file, "cls", normalise="imagenet"), "weights_from": short},
    )


def _dinov2_config(settings: Mapping[str, Any], source: str) -> dict[str, Any]:
    registers = int(settings.get("num_register_tokens") or 0)
    ratio = settings["mlp_ratio"]
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 < ratio < _MAX_RATIO:
        raise other_setting(source, "mlp_ratio", ratio, "a number above zero")
    is_gated = bool(settings["use_swiglu_ffn"])
    dim = settings["hidden_size"]
    hidden = int(dim * ratio)
    return {
        "dim": dim,
        "depth": settings["num_hidden_layers"],
        "heads": settings["num_attention_heads"],
        "patch_px": settings["patch_size"],
        "channels": settings["num_channels"],
        "grid": settings["image_size"] // settings["patch_size"],
        "mlp_dim": (int(hidden * 2 / 3) + 7) // 8 * 8 if is_gated else hidden,
        "registers": registers,
        "layer_scale": True,
        "swiglu": is_gated,
        "positions": "antialiased" if registers else "offset",
    }


def _describe(config: Config) -> Provides:
    return describe_vit(config, image_px=_IMAGE_PX)
