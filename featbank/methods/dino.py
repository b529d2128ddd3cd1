"""DINO: a student learns from small views what its moving average says of large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.methods._multi_crop import (
    DISTORTIONS,
    multi_crop,
    teacher_schedules,
)
from featbank.methods.method import MethodSpec

if TYPE_CHECKING:
    from featbank.methods.method import Method, MethodRequest

# facebookresearch/dino ``main_dino.py``: the defaults of its options, but for the teacher's
# temperature, which its README raises from 0.04 to 0.07 in 30 epochs for the published networks.
HYPER: dict[str, Any] = {
    "epochs": 100,
    "batch_size": 256,
    "lr": 5e-4,
    "lr_batch": 256,
    "lr_rule": "linear",
    "min_lr": 1e-6,
    "warmup_epochs": 10,
    "weight_decay": 0.04,
    "weight_decay_end": 0.4,
    "beta1": 0.9,
    "beta2": 0.999,
    "clip": 3.0,
    "layer_decay": 1.0,
    "patch_embed_lr": 1.0,
    "drop_path": 0.1,
    "layer_scale_init": 1e-5,
    "prototypes": 65_536,
    "head_hidden": 2048,
    "head_bottleneck": 256,
    "norm_last_layer": True,
    "centring": "softmax",
    "last_layer_frozen_epochs": 1,
    "student_temperature": 0.1,
    "teacher_temperature_start": 0.04,
    "teacher_temperature": 0.07,
    "teacher_temperature_epochs": 30,
    "momentum": 0.996,
    "momentum_end": 1.0,
    "centre_momentum": 0.9,
    "global_scale": (0.4, 1.0),
    "local_scale": (0.05, 0.4),
    "local_count": 8,
    "local_px": 96,
    **DISTORTIONS,
}


def _build(request: MethodRequest) -> Method:
    from featbank.methods._dino_training import DinoTraining

    return DinoTraining(request)


SPECS = (
    MethodSpec(
        name="dino",
        summary="Multi-crop self-distillation: cross-entropy against a moving average's prototypes",
        source="Caron et al. 2021, arXiv:2104.14294; facebookresearch/dino main_dino.py",
        hyper=HYPER,
        crops=multi_crop,
        schedules=teacher_schedules,
        build=_build,
    ),
)
