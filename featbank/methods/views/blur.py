"""Gaussian blur with a sigma for each chip, as a matrix that multiplies the resampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from featbank.methods.parts.draws import Draws
    from featbank.methods.views.crop_recipe import CropRecipe

# Side of the crop that a recipe's sigmas are for.
_SIGMA_SIDE_PX = 224
# The kernel ends at four sigma, as scipy.ndimage.gaussian_filter's does.
_TRUNCATE = 4.0


class Blur(NamedTuple):
    """Kernels of the m views that are blurred.

    Attributes:
        chosen: (m,) int64: which of the views.
        kernels: (m, d) float32, as ``blur_kernels`` gives them.
    """

    chosen: Tensor
    kernels: Tensor


def draw_sigmas(draws: Draws, recipe: CropRecipe, probability: float) -> Tensor:
    """(b,) float32 sigmas in pixels of the crop, on the CPU; 0 where a chip is left alone."""
    numbers = draws.uniform(2)
    low, high = recipe.blur_sigma
    sigmas = (low + (high - low) * numbers[:, 1]) * recipe.size_px / _SIGMA_SIDE_PX
    return torch.where(numbers[:, 0] < probability, sigmas, 0.0)


def blur_of(sigmas: Tensor, size: int) -> Blur:
    """Kernels of the views that a blur changes.

    Args:
        sigmas: (b,) in pixels, on the CPU; 0 leaves a view as it is.
        size: Pixels of the axis.
    """
    # A narrower kernel is one pixel wide.
    chosen = (_reach(sigmas) > 0).nonzero().flatten()
    return Blur(chosen, blur_kernels(sigmas[chosen], size))


def blur_kernels(sigmas: Tensor, size: int) -> Tensor:
    """(m, d) kernels, each from its middle outwards; both of its sides sum to 1.

    Args:
        sigmas: (m,) in pixels, > 0, on the CPU.
        size: Pixels of the axis. A kernel reaches no further than that.
    """
    reach = _reach(sigmas).clamp(max=size)
    distance = torch.arange(int(reach.max()) + 1 if len(reach) else 1)
    inside = distance <= reach[:, None]
    # Far pixels are left out before the exponential: it is slow where it underflows.
    half = inside * torch.exp(-0.5 * (distance * inside / sigmas[:, None]) ** 2)
    return half / (2 * half.sum(dim=1, keepdim=True) - 1)


def blurred(matrix: Tensor, blur: Blur) -> Tensor:
    """Blur what resampling matrices make.

    Brightness and contrast may follow although they came first in DINO: a blur whose border
    mirrors pixels keeps every band's mean, and so changes places with both.

    Args:
        matrix: (b, s, N) resampling matrices; written to.
        blur: Of the b results, on the matrices' device.

    Returns:
        ``matrix``.
    """
    if len(blur.chosen):
        kernels = blur_matrix(blur.kernels, matrix.shape[1])
        matrix[blur.chosen] = torch.bmm(kernels, matrix[blur.chosen])
    return matrix


def blur_matrix(kernels: Tensor, size: int) -> Tensor:
    """(m, size, size) matrices that blur; at a border pixels are mirrored, the edge one too.

    Args:
        kernels: (m, d), as ``blur_kernels`` gives them.
        size: Pixels of the axis.
    """
    at = _pixels_at(torch.arange(kernels.shape[1], device=kernels.device), size)
    return (kernels @ at.flatten(1)).reshape(-1, size, size)


def _reach(sigmas: Tensor) -> Tensor:
    return torch.floor(_TRUNCATE * sigmas + 0.5)


def _pixels_at(distance: Tensor, size: int) -> Tensor:
    """(d, size, size) float32: how often a pixel or its mirror image lies at each distance."""
    places = torch.arange(size, device=distance.device)
    away = (places[:, None] - places).abs()
    mirrored_low = places[:, None] + places + 1
    mirrored_high = 2 * size - mirrored_low
    each = distance[:, None, None]
    counts = (each == away).float() + (each == mirrored_low).float()
    return counts + (each == mirrored_high).float()
