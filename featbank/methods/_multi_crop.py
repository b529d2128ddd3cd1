"""Views and schedules that the methods with a moving teacher share; nothing here needs torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.methods.views.crop_recipe import CropRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from featbank.methods.method import Length

# facebookresearch/dino ``main_dino.py:DataAugmentationDINO``, facebookresearch/dinov2
# ``data/augmentations.py``: the two global crops differ in blur and solarisation.
_GLOBAL_BLUR, _LOCAL_BLUR = (1.0, 0.1), 0.5
_GLOBAL_SOLARISE = (0.0, 0.2)
GLOBAL_VIEWS = 2
# Upstream's colour jitter scales pixels by up to 40 %; with ImageNet's mean of 0.45 and deviation
# of 0.226 that moves an average pixel by 0.4 * 0.45 / 0.226 = 0.8 deviations. Hue and saturation
# have no counterpart in N bands; ``band_contrast`` comes nearest.
DISTORTIONS: dict[str, Any] = {
    "colour": 0.8,
    "brightness": 0.8,
    "contrast": 0.4,
    "band_contrast": False,
    "band_drop": 0.0,
    "speckle_looks": 0.0,
    "flip": 0.5,
    "quarter_turns": False,
}
# Side of the globals that upstream's local side goes with.
_USUAL_PX = 224


def multi_crop(hyper: Mapping[str, Any], image_px: int, patch_px: int) -> tuple[CropRecipe, ...]:
    """Two global crops and some local ones.

    Args:
        hyper: Takes ``global_scale``, ``local_scale``, ``local_count``, ``local_px`` (side of the
            local crops where the globals have 224 px) and the distortions.
        image_px: Side of the global crops.
        patch_px: Side of a patch; the local side is the nearest multiple of it.
    """
    shared = {name: hyper[name] for name in DISTORTIONS}
    wide = CropRecipe(
        name="global",
        count=GLOBAL_VIEWS,
        size_px=image_px,
        scale=tuple(hyper["global_scale"]),
        blur=_GLOBAL_BLUR,
        solarise=_GLOBAL_SOLARISE,
        **shared,
    )
    count = int(hyper["local_count"])
    if not count:
        return (wide,)
    local_px = hyper["local_px"] * image_px / _USUAL_PX
    narrow = CropRecipe(
        name="local",
        count=count,
        size_px=max(1, round(local_px / patch_px)) * patch_px,
        scale=tuple(hyper["local_scale"]),
        blur=(_LOCAL_BLUR,) * count,
        solarise=(0.0,) * count,
        **shared,
    )
    return wide, narrow


def teacher_schedules(hyper: Mapping[str, Any], length: Length) -> dict[str, NDArray[Any]]:
    """Numbers of a moving teacher, step by step.

    Returns:
        ``momentum`` (steps,), by a half cosine to ``momentum_end``; ``teacher_temperature``
        (steps,), linear over its warm-up, then constant; ``last_layer_frozen`` (steps,), 1 where
        the prototypes stay as they are, else 0.
    """
    step = np.arange(length.steps)
    first, last = hyper["momentum"], hyper["momentum_end"]
    momentum = last + (first - last) * (1 + np.cos(np.pi * step / length.steps)) / 2
    warmup = max(1.0, hyper["teacher_temperature_epochs"] * length.steps_per_epoch)
    start, end = hyper["teacher_temperature_start"], hyper["teacher_temperature"]
    temperature = start + (end - start) * np.minimum(1.0, step / warmup)
    if hyper["teacher_temperature_epochs"] == 0:
        temperature = np.full(length.steps, float(end))
    frozen = step < hyper["last_layer_frozen_epochs"] * length.steps_per_epoch
    return {
        "momentum": momentum,
        "teacher_temperature": temperature,
        "last_layer_frozen": frozen.astype(float),
    }


def by_view(rows: Tensor, global_rows: int) -> Tensor:
    """(V b, K) crop-major rows -> (V, b, K), where the two global views have 2 b rows."""
    return rows.reshape(-1, global_rows // GLOBAL_VIEWS, rows.shape[-1])
