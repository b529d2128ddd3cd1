"""Solarising values that have no fixed range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

# A band's range in a view is taken as two standard deviations to each side of its mean, but no
# more than its values reach. Alone the extremes would be one bright roof or cloud of a
# Sentinel-2 chip, and a threshold halfway to it would leave nearly every pixel alone.
_SPREADS = 2.0


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
    low = views.amin(dim=(2, 3), keepdim=True)
    high = views.amax(dim=(2, 3), keepdim=True)
    spread, mean = torch.std_mean(views, dim=(2, 3), correction=0, keepdim=True)
    lower = torch.maximum(low, mean - _SPREADS * spread)
    upper = torch.minimum(high, mean + _SPREADS * spread)
    threshold = (lower + upper) / 2
    mirrored = torch.maximum(2 * threshold - views, low)
    return torch.where(views > threshold, mirrored, views)
