"""Views without some of their bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from featbank.methods.parts.draws import Draws


def draw_kept(draws: Draws, channels: int, probability: float) -> Tensor:
    """(b, C) float32: 0 for a band that is set to its mean, on the CPU.

    The band with the largest number stays whatever its number is, so that no view is empty.
    """
    numbers = draws.uniform(channels)
    kept = numbers >= probability
    kept[torch.arange(len(kept)), numbers.argmax(dim=1)] = True
    return kept.float()
