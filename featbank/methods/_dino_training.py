"""DINO in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featbank.methods._multi_crop import GLOBAL_VIEWS, by_view
from featbank.methods._self_distillation import SelfDistillation
from featbank.methods._student import student_tokens
from featbank.methods.losses.prototypes import entropy, views_loss
from featbank.methods.method import StepOutput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from featbank.methods.method import Drawn, MethodRequest

_HEAD = "dino"


class DinoTraining(SelfDistillation):
    """Self-distillation over the CLS tokens of large and small crops.

    Args:
        request: What to build from.
    """

    def __init__(self, request: MethodRequest) -> None:
        prototypes = {_HEAD: int(request.hyper["prototypes"])}
        # main_dino.py hands one rate to a network that raises it linearly over its blocks.
        super().__init__(request, prototypes, has_uniform_drop=False)

    def forward(
        self, views: Mapping[str, Tensor], drawn: Drawn, numbers: Mapping[str, float]
    ) -> StepOutput:
        """Loss of one batch: ``global`` (2 b, C, s, s), and ``local`` (n b, C, t, t) if any."""
        del drawn
        targets = self._targets(views["global"], numbers["teacher_temperature"])
        _, features = student_tokens(self.encoder, views)
        scores = self.student_heads[_HEAD](features)
        loss = views_loss(
            by_view(scores, len(targets)),
            by_view(targets, len(targets)),
            temperature=self._hyper["student_temperature"],
            own_views=GLOBAL_VIEWS,
        )
        parts = {"dino": loss.detach(), "teacher_entropy": entropy(targets)}
        return StepOutput(loss, parts, features[: len(targets)].detach(), targets)

    @torch.no_grad()
    def _targets(self, views: Tensor, temperature: float) -> Tensor:
        """(2 b, K) probabilities of the teacher for the global crops."""
        logits = self.average_heads[_HEAD](self.average.encode(views)[:, 0])
        targets: Tensor = self.targets[_HEAD](logits, temperature)
        return targets
