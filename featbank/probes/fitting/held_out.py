"""Samples that a fit holds out to watch itself, drawn from its own training samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from featbank.image import Array


def held_out(
    codes: Array, *, share: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Split samples in two, class by class where a sample has one class.

    Args:
        codes: (N,) class indices, or (N, K) 0 and 1.
        share: Share of samples to hold out, in (0, 1); of each class rounded to whole samples,
            at least one stays behind, so that a class of one sample is never held out.
        generator: Draws the samples.

    Returns:
        Sorted indices of the samples that stay, and of those held out; the latter may be none.
    """
    drawn = torch.randperm(len(codes), generator=generator).numpy()
    classes = codes[drawn] if codes.ndim == 1 else np.zeros(len(codes), np.int64)
    is_out = np.zeros(len(codes), bool)
    for k in np.unique(classes):
        members = drawn[classes == k]
        is_out[members[: min(round(share * len(members)), len(members) - 1)]] = True
    return torch.from_numpy(np.flatnonzero(~is_out)), torch.from_numpy(np.flatnonzero(is_out))
