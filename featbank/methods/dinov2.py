"""DINOv2: DINO on the CLS token, iBOT on hidden patches, and features kept apart."""

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

# facebookresearch/dinov2 ``configs/ssl_default_config.yaml``; ``batch_size`` is its 64 chips a GPU
# on the 32 GPUs of ``README.md``. Its config shares one head and centres; ``separate_head`` and
# Sinkhorn-Knopp are those of the published networks (Oquab et al. 2024, section 4, and
# ``configs/train/vitl14.yaml``). ``high_res_share`` is its 10,000 of 625,000 steps (appendix B.2);
# 0 px leaves that phase out.
HYPER: dict[str, Any] = {
    "epochs": 100,
    "batch_size": 2048,
    "lr": 4e-3,
    "lr_batch": 1024,
    "lr_rule": "sqrt",
    "min_lr": 1e-6,
    "warmup_epochs": 10,
    "weight_decay": 0.04,
    "weight_decay_end": 0.4,
    "beta1": 0.9,
    "beta2": 0.999,
    "clip": 3.0,
    "layer_decay": 0.9,
    "patch_embed_lr": 0.2,
    "drop_path": 0.3,
    "layer_scale_init": 1e-5,
    "prototypes": 65_536,
    "patch_prototypes": 65_536,
    "head_hidden": 2048,
    "head_bottleneck": 256,
    "norm_last_layer": False,
    "last_layer_frozen_epochs": 1,
    "dino_weight": 1.0,
    "ibot_weight": 1.0,
    "koleo_weight": 0.1,
    "mask_probability": 0.5,
    "mask_ratio": (0.1, 0.5),
    "centring": "sinkhorn",
    "student_temperature": 0.1,
    "teacher_temperature_start": 0.04,
    "teacher_temperature": 0.07,
    "teacher_temperature_epochs": 30,
    "momentum": 0.992,
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
    from featbank.methods._dinov2_training import Dinov2Training

    return Dinov2Training(request)


SPECS = (
    MethodSpec(
        name="dinov2",
        summary="DINO on views and iBOT on hidden patches with untied heads; features kept apart",
        source="Oquab et al. 2024, arXiv:2304.07193; facebookresearch/dinov2",
        hyper=HYPER,
        crops=multi_crop,
        schedules=teacher_schedules,
        build=_build,
    ),
)
