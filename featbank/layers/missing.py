"""Missing pixels on the device: their shares at a network's own grid, and pooling without them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

# A patch that is more than half missing is more filling than image, and leaves the mean.
MOST_MISSING = 0.5


class Missing(NamedTuple):
    """Share of each input pixel that is missing in the chip as it was read, 0 to 1.

    Attributes:
        pixels: (B, H, W), missing in any channel.
        channels: (B, C, H, W), channel by channel.
    """

    pixels: Tensor
    channels: Tensor


def nothing_missing(x: Tensor) -> Missing:
    """Of (B, C, H, W) input all of which is there."""
    return Missing(pixels=x.new_zeros((len(x), *x.shape[-2:])), channels=torch.zeros_like(x))


def area_average(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Average over the exact area of each new pixel, fractions of old pixels included.

    Args:
        values: (..., H, W) float32.
        size: (h, w), larger or smaller.

    Returns:
        (..., h, w).
    """
    rows = _overlaps(values.shape[-2], size[0], values.device)
    columns = _overlaps(values.shape[-1], size[1], values.device)
    return rows @ values @ columns.T


@lru_cache(maxsize=64)
def _overlaps(old: int, new: int, device: torch.device) -> Tensor:
    """(new, old) share of each new interval of the line that each old one covers.

    Kept, since a copy to the device has the host wait for it.
    """
    # What is kept may be asked for again where gradients are taken.
    with torch.inference_mode(False):
        return _overlaps_on_host(old, new).to(device)


def _overlaps_on_host(old: int, new: int) -> Tensor:
    edges = torch.arange(new + 1, dtype=torch.float64) * old / new
    place = torch.arange(old, dtype=torch.float64)
    low = torch.maximum(edges[:-1, None], place[None])
    high = torch.minimum(edges[1:, None], place[None] + 1)
    return ((high - low).clamp(min=0) * new / old).float()


def kept_patches(missing: Missing, grid: tuple[int, int]) -> Tensor:
    """(B, gy * gx) bool: patches at least half of which is there; all where none is.

    Args:
        missing: Of the input.
        grid: (gy, gx) patches.
    """
    share = area_average(missing.pixels, grid).flatten(1)
    kept = share <= MOST_MISSING
    return kept | ~kept.any(dim=1, keepdim=True)


def mean_patch(tokens: Tensor, kept: Tensor | None) -> Tensor:
    """Mean of patch tokens (B, T, D) -> (B, D), over those kept.

    Chips all of whose patches are kept have the very mean that they have among whole chips.
    """
    whole = tokens.mean(dim=1)
    if kept is None:
        return whole
    weights = kept.unsqueeze(-1).to(tokens.dtype)
    part = (tokens * weights).sum(dim=1) / weights.sum(dim=1)
    return torch.where(kept.all(dim=1, keepdim=True), whole, part)
