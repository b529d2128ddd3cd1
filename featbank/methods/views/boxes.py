"""Boxes of random resized crops, for all chips at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

# Proposals before the fallback, as in torchvision's RandomResizedCrop.
TRIES = 10


def crop_boxes(
    numbers: Tensor,
    size: tuple[int, int],
    *,
    scale: tuple[float, float],
    ratio: tuple[float, float],
) -> Tensor:
    """A box in each chip: its share of the area uniform, its aspect log-uniform.

    The first of ten proposals that fits is taken. Where none does, it is the largest box in the
    chip's middle whose aspect is allowed.

    Args:
        numbers: (b, TRIES, 4) in [0, 1): area, aspect, top, left of each proposal.
        size: Height and width of the chips in pixels.
        scale: Smallest and largest share of the chip's area, 0 to 1.
        ratio: Smallest and largest width over height.

    Returns:
        (b, 4) int64 pixels: top, left, height, width.

    References:
        Szegedy et al. 2015, arXiv:1409.4842, section 6; the rounding and the fallback follow
        torchvision/transforms/transforms.py, RandomResizedCrop.get_params.
    """
    height, width = size
    area = height * width * (scale[0] + (scale[1] - scale[0]) * numbers[..., 0].double())
    low, high = math.log(ratio[0]), math.log(ratio[1])
    aspect = torch.exp(low + (high - low) * numbers[..., 1].double())
    tall, wide = torch.round((area / aspect).sqrt()), torch.round((area * aspect).sqrt())
    fits = (tall > 0) & (tall <= height) & (wide > 0) & (wide <= width)
    top = _place(numbers[..., 2], height - tall)
    left = _place(numbers[..., 3], width - wide)
    proposed = torch.stack([top, left, tall, wide], dim=-1).long()
    # argmax gives the first of equal values.
    first = fits.int().argmax(dim=1)
    chosen = proposed[torch.arange(len(numbers)), first]
    fallback = torch.tensor(middle_box(size, ratio))
    return torch.where(fits.any(dim=1)[:, None], chosen, fallback)


def _place(numbers: Tensor, free: Tensor) -> Tensor:
    """Uniform among the whole numbers 0 … free."""
    return torch.floor(numbers.double() * (free + 1))


def middle_box(size: tuple[int, int], ratio: tuple[float, float]) -> tuple[int, int, int, int]:
    """Top, left, height, width of the largest box in the middle whose aspect is in ``ratio``."""
    height, width = size
    tall, wide = height, width
    if width / height < ratio[0]:
        tall = min(height, max(1, round(width / ratio[0])))
    elif width / height > ratio[1]:
        wide = min(width, max(1, round(height * ratio[1])))
    return (height - tall) // 2, (width - wide) // 2, tall, wide
