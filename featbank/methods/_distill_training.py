"""Distillation in training: a frozen teacher, a student, and the student's moving average."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from featbank.errors import UsageError
from featbank.layers.projection_head import ProjectionHead
from featbank.methods._cls_and_patches import (
    DINO,
    IBOT,
    ClsAndPatches,
    Compared,
    chosen_patches,
)
from featbank.methods._student import encoder_of, restore, student_tokens
from featbank.methods.parts.moving_average import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.methods._targets import Targets
    from featbank.methods.method import Drawn, MethodRequest, Teacher


class DistillTraining(ClsAndPatches):
    """A student learns the assignments of a frozen teacher, with heads of its own.

    The teacher's centres stay as its run left them, and so does it: nothing that moves could
    collapse, and a centre that followed the student's data would make the targets drift.

    Attributes:
        teacher: The frozen encoder.
        teacher_heads: Its heads.

    Args:
        request: What to build from; with a teacher.

    Raises:
        UsageError: There is no teacher, or it cannot tell patches apart and is asked to.
        WeightsError: The teacher's heads are damaged.
    """

    def __init__(self, request: MethodRequest) -> None:
        teacher = _required(request)
        names = [DINO, IBOT] if request.hyper["ibot_weight"] else [DINO]
        _require_heads(teacher, names)
        heads = {name: _head_like(teacher, name) for name in names}
        counts = {name: len(head.last_layer.weight_g) for name, head in heads.items()}
        super().__init__(request, counts, has_uniform_drop=True)
        self.teacher = frozen(encoder_of(teacher.config, teacher.state))
        self.teacher_heads = frozen(nn.ModuleDict(heads))
        restore(self.teacher_heads, teacher.heads, "head")
        restore(self.targets, teacher.heads, "targets")
        for targets in self.targets.values():
            cast("Targets", targets).is_moving = False

    def _compared(self, views: Tensor, drawn: Drawn) -> Compared:
        del drawn
        patch_px = self.encoder.config.patch_px
        patches = (views.shape[2] // patch_px) * (views.shape[3] // patch_px)
        everywhere = torch.arange(len(views) * patches, device=views.device)
        weight = 1 / torch.full((1,), float(patches), device=views.device)
        return Compared(everywhere, weight.expand(len(everywhere)))

    @torch.no_grad()
    def _taught(self, views: Tensor, compared: Compared, temperature: float) -> dict[str, Tensor]:
        tokens = self.teacher.encode(views)
        logits = {DINO: self.teacher_heads[DINO](tokens[:, 0])}
        if IBOT in self.teacher_heads:
            patches = chosen_patches(tokens, self.teacher.config.registers, compared)
            logits[IBOT] = self.teacher_heads[IBOT](patches)
        return {name: self.targets[name](value, temperature) for name, value in logits.items()}

    def _encoded(self, views: Mapping[str, Tensor], drawn: Drawn) -> tuple[Tensor, Tensor]:
        del drawn
        return student_tokens(self.encoder, views)


def _required(request: MethodRequest) -> Teacher:
    if request.teacher is None:
        raise UsageError(
            "--method distill",
            "no teacher is named",
            "a checkpoint of a larger model to learn from",
            "Pass --teacher path/to/checkpoint.",
        )
    return request.teacher


def _require_heads(teacher: Teacher, names: list[str]) -> None:
    for name in names:
        if f"head.{name}.last_layer.weight_g" not in teacher.heads:
            where = "patches" if name == IBOT else "whole views"
            raise UsageError(
                "--teacher",
                f"has no head that assigns {where}",
                "a checkpoint of dinov2, or of dino for views alone",
                "Choose another, or pass --set ibot_weight=0.",
            )


def _head_like(teacher: Teacher, name: str) -> ProjectionHead:
    """A head of the shape of the teacher's."""
    shapes = {part: teacher.heads[f"head.{name}.{part}"].shape for part in _SHAPE_OF}
    hidden, dim = shapes["mlp.0.weight"]
    prototypes, bottleneck = shapes["last_layer.weight_v"]
    return ProjectionHead(dim, prototypes, hidden=hidden, bottleneck=bottleneck)


# Tensors of a head that tell all its widths.
_SHAPE_OF = ("mlp.0.weight", "last_layer.weight_v")
