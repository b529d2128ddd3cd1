"""Solarising values that have no fixed range."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from featbank.methods.parts.draws import Draws

# A band's range in a view leaves out this share of its pixels at either end. Between the extremes,
# a few bright roofs or a small cloud in a Sentinel-2 chip would put the threshold where nearly
# every pixel stays as it is.
_TAIL = 0.05


def draw_solarised(draws: Draws, probability: float) -> Tensor:
    """(m,) int64: which of b views are solarised, on the CPU."""
    return (draws.uniform(1)[:, 0] < probability).nonzero().flatten()


def solarised(views: Tensor) -> Tensor:
    """Mirror each band's values above the middle of its range in the view at that middle.

    In 8-bit imagery DINO turns v >= 128 into 255 - v, which mirrors values at 127.5, the middle of
    all that a pixel may hold. Normalised bands have no such range, so each band of each view has
    its own. No value falls below the band's lowest one, and a constant band stays as it is.

    Args:
        views: (n, C, s, s).

    References:
        Grill et al. 2020, arXiv:2006.07733, appendix B.
    """
    # (n, C, s, s) -> (n, C, s * s)
    pixels = views.flatten(2)
    tail = math.ceil(_TAIL * pixels.shape[2])
    lower = pixels.kthvalue(tail, dim=2).values
    upper = pixels.kthvalue(pixels.shape[2] + 1 - tail, dim=2).values
    threshold = ((lower + upper) / 2)[..., None, None]
    low = views.amin(dim=(2, 3), keepdim=True)
    mirrored = torch.maximum(2 * threshold - views, low)
    return torch.where(views > threshold, mirrored, views)
