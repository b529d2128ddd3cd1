"""Gaussian blur with a sigma for each chip, as a matrix that multiplies the resampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from featbank.stages.pretrain.draws import Draws
    from featbank.stages.pretrain.views.crop_recipe import CropRecipe

# Side of the crop that a recipe's sigmas are for.
_SIGMA_SIDE_PX = 224
# The kernel ends at four sigma, as scipy.ndimage.gaussian_filter's does.
_TRUNCATE = 4.0


def draw_sigmas(draws: Draws, recipe: CropRecipe, probability: float) -> Tensor:
    """(b,) float32 sigmas in pixels of the crop, on the CPU; 0 where a chip is left alone."""
    numbers = draws.uniform(2)
    low, high = recipe.blur_sigma
    sigmas = (low + (high - low) * numbers[:, 1]) * recipe.size_px / _SIGMA_SIDE_PX
    return torch.where(numbers[:, 0] < probability, sigmas, 0.0)


def blurred(matrix: Tensor, sigmas: Tensor) -> Tensor:
    """Blur what resampling matrices make.

    Brightness and contrast may follow although they came first in DINO: a blur whose border
    mirrors pixels keeps every band's mean, and so changes places with both.

    Args:
        matrix: (b, s, N) resampling matrices; written to.
        sigmas: (b,) in pixels of the result, on the CPU; 0 leaves a chip as it is.

    Returns:
        ``matrix``.
    """
    chosen = sigmas.nonzero().flatten().to(matrix.device)
    if len(chosen):
        kernels = blur_matrix(sigmas[sigmas > 0].to(matrix.device), matrix.shape[1])
        matrix[chosen] = torch.bmm(kernels, matrix[chosen])
    return matrix


def blur_matrix(sigmas: Tensor, size: int) -> Tensor:
    """(b, size, size) matrices that blur; at a border pixels are mirrored, the edge one too.

    Args:
        sigmas: (b,) in pixels, > 0.
        size: Pixels of the axis.
    """
    places = torch.arange(size, device=sigmas.device)
    away = places[:, None] - places
    mirrored_low = places[:, None] + places + 1
    mirrored_high = 2 * size - mirrored_low
    # A kernel that reached beyond one mirrored copy would have a crop turn grey altogether.
    radius = torch.floor(_TRUNCATE * sigmas + 0.5).clamp(max=size)[:, None, None]
    width = sigmas[:, None, None]
    matrix = torch.zeros(len(sigmas), size, size, device=sigmas.device)
    for distance in (away.abs(), mirrored_low, mirrored_high):
        weight = torch.exp(-0.5 * (distance / width) ** 2)
        matrix += torch.where(distance <= radius, weight, 0.0)
    return matrix / matrix.sum(dim=2, keepdim=True)
