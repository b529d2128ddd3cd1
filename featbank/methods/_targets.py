"""From the teacher's logits to the student's targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from featbank.errors import UsageError
from featbank.methods.losses.prototypes import Centre, centred, sinkhorn

if TYPE_CHECKING:
    from collections.abc import Mapping

# softmax: with the running mean of the logits taken away (DINO). sinkhorn: every prototype is
#   used alike within the batch of all processes (SwAV, DINOv2).
WAYS = ("softmax", "sinkhorn")


class Targets(nn.Module):
    """Makes targets of logits, and keeps what that needs from step to step.

    Args:
        prototypes: Number of prototypes K.
        hyper: Takes ``centring``, one of ``WAYS``, and ``centre_momentum``.

    Attributes:
        is_moving: Whether the centre follows the logits.

    Raises:
        UsageError: There is no such way.
    """

    def __init__(self, prototypes: int, hyper: Mapping[str, Any]) -> None:
        super().__init__()
        self._way = hyper["centring"]
        if self._way not in WAYS:
            raise UsageError(
                f"centring {self._way}", "is unknown", " or ".join(WAYS), "Choose one of them."
            )
        self.is_moving = True
        self.centre = Centre(prototypes, hyper["centre_momentum"])

    @torch.no_grad()
    def forward(self, logits: Tensor, temperature: float) -> Tensor:
        """(n, K) logits -> (n, K) probabilities; notes the logits for the centre."""
        if self._way == "sinkhorn":
            return sinkhorn(logits, temperature)
        if self.is_moving:
            self.centre.note(logits)
        return centred(logits, self.centre.value, temperature)
