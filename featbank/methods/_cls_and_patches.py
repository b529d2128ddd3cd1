"""What DINOv2 and distillation have in common: losses on CLS tokens, patches and their spread."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from featbank.methods._multi_crop import GLOBAL_VIEWS, by_view
from featbank.methods._self_distillation import SelfDistillation
from featbank.methods.losses.masked_patches import masked_patches_loss
from featbank.methods.losses.prototypes import entropy, views_loss
from featbank.methods.losses.spread import spread_loss
from featbank.methods.method import StepOutput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.methods.method import Drawn

DINO, IBOT = "dino", "ibot"


class Compared(NamedTuple):
    """Patches of the global crops whose assignment is learned.

    Attributes:
        places: (m,) where they are among all patches.
        weights: (m,) what each counts in the loss.
    """

    places: Tensor
    weights: Tensor


class ClsAndPatches(SelfDistillation):
    """Cross-entropy on CLS tokens of crops and on patches of the global ones, and KoLeo.

    Without a head for patches their loss is left out.
    """

    def forward(
        self, views: Mapping[str, Tensor], drawn: Drawn, numbers: Mapping[str, float]
    ) -> StepOutput:
        """Loss of one batch: ``global`` (2 b, C, s, s), and ``local`` (n b, C, t, t) if any."""
        compared = self._compared(views["global"], drawn)
        targets = self._taught(views["global"], compared, numbers["teacher_temperature"])
        tokens, features = self._encoded(views, drawn)
        own = features[: len(targets[DINO])]
        parts = {DINO: self._views_loss(features, targets[DINO])}
        if IBOT in targets:
            parts[IBOT] = self._patches_loss(tokens, targets[IBOT], compared)
        # Two crops of one chip are not to be kept apart: each crop is a batch of its own.
        parts["koleo"] = torch.stack([spread_loss(x) for x in own.chunk(GLOBAL_VIEWS)]).sum()
        weighted = [self._hyper[f"{name}_weight"] * part for name, part in parts.items()]
        told = {name: part.detach() for name, part in parts.items()}
        told |= {f"{name}_teacher_entropy": entropy(value) for name, value in targets.items()}
        return StepOutput(torch.stack(weighted).sum(), told, own.detach(), targets[DINO])

    @abstractmethod
    def _compared(self, views: Tensor, drawn: Drawn) -> Compared:
        """Which patches of the global crops are compared, on their device."""

    @abstractmethod
    def _taught(self, views: Tensor, compared: Compared, temperature: float) -> dict[str, Tensor]:
        """The teacher's (2 b, K) probabilities for the crops, (m, K') for the patches, by head."""

    @abstractmethod
    def _encoded(self, views: Mapping[str, Tensor], drawn: Drawn) -> tuple[Tensor, Tensor]:
        """The student's tokens of the global crops, and CLS of all crops, the global ones first."""

    def _views_loss(self, features: Tensor, targets: Tensor) -> Tensor:
        scores = self.student_heads[DINO](features)
        return views_loss(
            by_view(scores, len(targets)),
            by_view(targets, len(targets)),
            temperature=self._hyper["student_temperature"],
            own_views=GLOBAL_VIEWS,
        )

    def _patches_loss(self, tokens: Tensor, targets: Tensor, compared: Compared) -> Tensor:
        patches = chosen_patches(tokens, self.encoder.config.registers, compared)
        return masked_patches_loss(
            self.student_heads[IBOT](patches),
            targets,
            compared.weights,
            crops=len(tokens),
            temperature=self._hyper["student_temperature"],
        )


def chosen_patches(tokens: Tensor, registers: int, compared: Compared) -> Tensor:
    """(2 b, 1 + R + T, D) tokens -> (m, D): the patches that are compared."""
    return tokens[:, 1 + registers :].flatten(0, 1).index_select(0, compared.places)
