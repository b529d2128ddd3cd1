"""DINO in training: student, moving teacher, centring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featbank.stages.pretrain.losses.prototypes import Centre, centred, entropy, views_loss
from featbank.stages.pretrain.methods._multi_crop import GLOBAL_VIEWS
from featbank.stages.pretrain.methods._student import (
    drop_paths,
    head_of,
    named,
    restore,
    student_of,
)
from featbank.stages.pretrain.methods.method import Method, MethodRequest, StepOutput
from featbank.stages.pretrain.moving_average import frozen_copy, move_average

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.stages.pretrain.draws import Draws


class DinoTraining(nn.Module, Method):
    """Self-distillation with multi-crop.

    Attributes:
        encoder: The student.
        head: The student's head.
        teacher: Moving average of the student, which the checkpoint keeps.
        teacher_head: Moving average of the student's head.
        centre: Running mean of the teacher's logits.
    """

    def __init__(self, request: MethodRequest) -> None:
        super().__init__()
        self._hyper = request.hyper
        self.encoder = student_of(request)
        self.head = head_of(self.encoder.config.dim, request.hyper, request.seed)
        self.centre = Centre(request.hyper["prototypes"], request.hyper["centre_momentum"])
        if request.heads:
            restore(self.head, request.heads, "head")
            restore(self.centre, request.heads, "centre")
        self.teacher = frozen_copy(self.encoder)
        self.teacher_head = frozen_copy(self.head)
        drop_paths(self.encoder, request.hyper["drop_path"], is_uniform=False)
        self.head.last_layer.weight_g.requires_grad_(not request.hyper["norm_last_layer"])

    def forward(
        self,
        views: Mapping[str, Tensor],
        draws: Draws,
        numbers: Mapping[str, float],
    ) -> StepOutput:
        """Loss of one batch: ``global`` (2 b, C, s, s), and ``local`` (n b, C, t, t) if any."""
        targets = self._targets(views["global"], numbers["teacher_temperature"])
        # (n b, 1 + R + T, D) -> (n b, D): CLS, global crops first
        features = torch.cat([self.encoder.encode(x)[:, 0] for x in _ordered(views)])
        rows = len(views["global"]) // GLOBAL_VIEWS
        scores = self.head(features)
        loss = views_loss(
            scores.reshape(-1, rows, scores.shape[1]),
            targets.reshape(-1, rows, scores.shape[1]),
            temperature=self._hyper["student_temperature"],
            own_views=GLOBAL_VIEWS,
        )
        parts = {"dino": loss.detach(), "teacher_entropy": entropy(targets)}
        return StepOutput(loss, parts, features[: len(targets)].detach(), targets)

    def before_update(self, numbers: Mapping[str, float]) -> None:
        """Leave the prototypes as they are while they are frozen."""
        if numbers["last_layer_frozen"]:
            for parameter in self.head.last_layer.parameters():
                parameter.grad = None

    def after_update(self, numbers: Mapping[str, float]) -> None:
        """Move the teacher and the centre."""
        move_average(self.teacher, self.encoder, numbers["momentum"])
        move_average(self.teacher_head, self.head, numbers["momentum"])
        self.centre.move()

    def kept(self) -> Mapping[str, Tensor]:
        """The teacher's tensors."""
        return self.teacher.state_dict()

    def heads(self) -> Mapping[str, Tensor]:
        """The teacher's head and centre."""
        return {**named("head", self.teacher_head), **named("centre", self.centre)}

    @torch.no_grad()
    def _targets(self, views: Tensor, temperature: float) -> Tensor:
        """(2 b, K) probabilities of the teacher for the global crops."""
        logits = self.teacher_head(self.teacher.encode(views)[:, 0])
        targets = centred(logits, self.centre.value, temperature)
        self.centre.note(logits)
        return targets


def _ordered(views: Mapping[str, Tensor]) -> list[Tensor]:
    """Views of the student, the global ones first."""
    return [views[name] for name in ("global", "local") if name in views]
