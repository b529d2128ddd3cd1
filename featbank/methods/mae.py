"""``mae``: masked autoencoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.methods.method import MethodSpec
from featbank.methods.views.crop_recipe import CropRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featbank.methods.method import Length, Method, MethodRequest

# He et al. 2022, table 8, and facebookresearch/mae ``main_pretrain.py`` and ``PRETRAIN.md``. Zeros
# of the decoder stand for a shape that goes with the encoder's (``decoder_shape``).
_HYPER = {
    "epochs": 800,
    "batch_size": 4096,
    "lr": 1.5e-4,
    "lr_batch": 256,
    "lr_rule": "linear",
    "min_lr": 0.0,
    "warmup_epochs": 40,
    "weight_decay": 0.05,
    "weight_decay_end": 0.05,
    "beta1": 0.9,
    "beta2": 0.95,
    "clip": 0.0,
    "layer_decay": 1.0,
    "patch_embed_lr": 1.0,
    "drop_path": 0.0,
    "layer_scale_init": 1.0,
    "mask_ratio": 0.75,
    "norm_pixels": True,
    "crop_scale_min": 0.2,
    "learn_positions": False,
    "decoder_width": 0,
    "decoder_depth": 0,
    "decoder_heads": 0,
    "frozen_encoder": False,
}


def _crops(hyper: Mapping[str, Any], image_px: int, patch_px: int) -> tuple[CropRecipe, ...]:
    del patch_px
    scale = (float(hyper["crop_scale_min"]), 1.0)
    return (CropRecipe(name="global", count=1, size_px=image_px, scale=scale),)


def _schedules(hyper: Mapping[str, Any], length: Length) -> Mapping[str, NDArray[Any]]:
    del hyper, length
    return {}


def _build(request: MethodRequest) -> Method:
    from featbank.methods._mae_training import MaeTraining

    return MaeTraining(request)


SPECS = (
    MethodSpec(
        name="mae",
        summary="Masked autoencoder: predicts the pixels of three quarters of the patches",
        source="He et al. 2022, arXiv:2111.06377; facebookresearch/mae",
        hyper=_HYPER,
        crops=_crops,
        schedules=_schedules,
        build=_build,
        default_feature="mean",
    ),
)
