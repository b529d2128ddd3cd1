"""Distillation: a small network learns what a large frozen one says of views and patches."""

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

# Oquab et al. 2024, section 5 ("Model distillation"), appendix B.1 and table 16: DINOv2's own loop
# but for masks, stochastic depth and the moving teacher. The teacher's temperature has no warm-up,
# which shields from a teacher that knows nothing yet.
HYPER: dict[str, Any] = {
    "epochs": 100,
    "batch_size": 2048,
    "lr": 1e-3,
    "lr_batch": 2048,
    "lr_rule": "sqrt",
    "min_lr": 1e-6,
    "warmup_epochs": 16,
    "weight_decay": 0.04,
    "weight_decay_end": 0.2,
    "beta1": 0.9,
    "beta2": 0.999,
    "clip": 3.0,
    "layer_decay": 1.0,
    "patch_embed_lr": 0.2,
    "drop_path": 0.0,
    "layer_scale_init": 1e-5,
    "head_hidden": 2048,
    "head_bottleneck": 256,
    "norm_last_layer": False,
    "last_layer_frozen_epochs": 1,
    "dino_weight": 1.0,
    "ibot_weight": 1.0,
    "koleo_weight": 0.1,
    "centring": "sinkhorn",
    "student_temperature": 0.1,
    "teacher_temperature_start": 0.07,
    "teacher_temperature": 0.07,
    "teacher_temperature_epochs": 0,
    "momentum": 0.994,
    "momentum_end": 1.0,
    "centre_momentum": 0.9,
    "global_scale": (0.32, 1.0),
    "local_scale": (0.05, 0.32),
    "local_count": 8,
    "local_px": 96,
    "high_res_px": 0,
    "high_res_share": 0.016,
    **DISTORTIONS,
}


def _build(request: MethodRequest) -> Method:
    from featbank.methods._distill_training import DistillTraining

    return DistillTraining(request)


SPECS = (
    MethodSpec(
        name="distill",
        summary="Learns a frozen teacher's assignments of views and patches; keeps an average",
        source="Oquab et al. 2024, arXiv:2304.07193, section 5",
        hyper=HYPER,
        crops=multi_crop,
        schedules=teacher_schedules,
        build=_build,
        needs_teacher=True,
    ),
)
