"""Image statistics: mean, deviation, minimum and maximum of each band, the cheapest baseline."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from featbank.layers.missing import MOST_MISSING


class ImageStatistics(nn.Module):
    """Four numbers of each band; what any learned feature has to beat.

    No weights. Deviations are those of the whole population (divided by H × W).

    References:
        Corley et al. 2024, arXiv:2305.13456, the "image statistics" baseline.
    """

    def forward(self, images: Tensor, missing: Tensor | None = None) -> Tensor:
        """Statistics of images.

        Args:
            images: (B, C, H, W) float, any unit.
            missing: (B, C, H, W) share of each pixel that is missing; those more than half missing
                are left out, but for bands that hold no other.

        Returns:
            (B, 4 C): the means of all bands, then deviations, minima, maxima.
        """
        pixels = images.flatten(2)
        std, mean = torch.std_mean(pixels, dim=2, correction=0)
        low, high = torch.aminmax(pixels, dim=2)
        whole = torch.cat([mean, std, low, high], dim=1)
        if missing is None:
            return whole
        valid = missing.flatten(2) <= MOST_MISSING
        # Chips that miss nothing have the very numbers that they have among whole chips.
        is_whole = valid.flatten(1).all(dim=1, keepdim=True)
        return torch.where(is_whole, whole, _of_valid(pixels, valid))


def _of_valid(pixels: Tensor, valid: Tensor) -> Tensor:
    """Statistics of (B, C, P) pixels where ``valid``, all of a band's where none is."""
    valid = valid | ~valid.any(dim=2, keepdim=True)
    count = valid.sum(dim=2)
    mean = torch.where(valid, pixels, 0).sum(dim=2) / count
    deviation = torch.where(valid, pixels - mean.unsqueeze(2), 0)
    std = (deviation.square().sum(dim=2) / count).sqrt()
    low = torch.where(valid, pixels, torch.inf).amin(dim=2)
    high = torch.where(valid, pixels, -torch.inf).amax(dim=2)
    return torch.cat([mean, std, low, high], dim=1)
