"""``vit-*``: plain vision transformers from timm, DINO v1 and MAE weights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from featbank.backbones.answers import HEADS, PART
from featbank.backbones.backbone import BackboneSpec, Loaded
from featbank.backbones.building.vit_build import (
    build_vit,
    initial_vit,
    require_keys,
    require_whole,
    require_width,
    settled_heads,
    square_side,
)
from featbank.backbones.building.vit_cost import describe_vit
from featbank.errors import WeightsError

if TYPE_CHECKING:
    from featbank.backbones.backbone import Config, Provides, State, WeightsFile

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
# Parts of training checkpoints that no frozen encoder needs: classifiers, projectors, the
# pre-logits layer, MAE's decoder.
_HEADS = re.compile(
    r"(heads?|head_\w+|\w+_head|classifier|projector|projection_head|predictor|prototypes|"
    r"pre_logits|fc|decoder|decoder_\w+)\.|decoder_pos_embed$"
)
_MASK_TOKEN = "mask_token"


def _config(size: str) -> dict[str, Any]:
    dim, heads, depth = _SIZES[size]
    return {
        "dim": dim,
        "depth": depth,
        "heads": heads,
        "patch_px": _PATCH_PX,
        "channels": 3,
        "grid": _IMAGE_PX // _PATCH_PX,
        "mlp_dim": 4 * dim,
        "positions": "antialiased",
    }


def _describe(config: Config) -> Provides:
    return describe_vit(config, image_px=_IMAGE_PX)


def _read(config: Config, state: State, file: WeightsFile) -> Loaded:
    from featbank.backbones.building.tensor_checks import float_tensors, require_ranks

    _require_no_folder(file)
    ignored = {name: name.split(".")[0] for name in state if _HEADS.match(name)}
    kept = {n: v for n, v in state.items() if n not in ignored and n != _MASK_TOKEN}
    require_keys(config, kept, file.name, names="timm, DINO or MAE")
    kept = float_tensors(kept, file.name)
    require_ranks(kept, file.name)
    width = int(kept["cls_token"].shape[-1])
    fitting = [f"vit-{name}" for name, (dim, _, _) in _SIZES.items() if dim == width]
    require_width(width, config, file.name, fitting=fitting[0] if fitting else None)
    projection = kept["patch_embed.proj.weight"]
    heads, notes = settled_heads(config, file)
    found = {
        **config,
        "heads": heads,
        "channels": int(projection.shape[1]),
        "patch_px": int(projection.shape[2]),
        "grid": square_side(kept["pos_embed"].shape[1] - 1, file.name),
        "mlp_dim": int(kept["blocks.0.mlp.fc1.weight"].shape[0]),
    }
    require_whole(found, kept, file.name)
    words = ", ".join(dict.fromkeys(ignored.values()))
    notes += (f"the file's {words} is ignored",) if words else ()
    return Loaded(config=found, state=kept, notes=notes)


def _require_no_folder(file: WeightsFile) -> None:
    if file.config:
        raise WeightsError(
            file.name,
            f"is a transformers folder of model_type {file.config.get('model_type')!r}",
            "a file of timm, DINO v1 or MAE for this model",
            "Pass it as the model, --model hf:FOLDER, without --weights.",
        )


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
        build=build_vit,
        read=_read,
        answers=(PART, HEADS),
        initial=initial_vit,
    )
    for size in _SIZES
)
