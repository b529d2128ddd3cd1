"""Image statistics: mean, deviation, minimum and maximum of each band, the cheapest baseline."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ImageStatistics(nn.Module):
    """Four numbers of each band; what any learned feature has to beat.

    No weights. Deviations are those of the whole population (divided by H × W).

    References:
        Corley et al. 2024, arXiv:2305.13456, the "image statistics" baseline.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Statistics of images.

        Args:
            images: (B, C, H, W) float, any unit.

        Returns:
            (B, 4 C): the means of all bands, then deviations, minima, maxima.
        """
        pixels = images.flatten(2)
        std, mean = torch.std_mean(pixels, dim=2, correction=0)
        low, high = torch.aminmax(pixels, dim=2)
        return torch.cat([mean, std, low, high], dim=1)
