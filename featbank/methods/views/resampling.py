"""Crop, resize and mirror as one matrix for each axis and chip, so that a batch is two products.

``torch.nn.functional.interpolate`` takes one box for a whole batch; here each chip has its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

# Keys' cubic as antialiased resizing uses it in Pillow and torch; without antialiasing torch
# takes -0.75 (aten/src/ATen/native/cpu/UpSampleKernel.cpp).
_CUBIC_A = -0.5
_CUBIC_RADIUS = 2


def resampling_matrix(
    starts: Tensor, lengths: Tensor, mirrored: Tensor, *, size_in: int, size_out: int
) -> Tensor:
    """Antialiased bicubic resizing of a stretch of pixels, a matrix for each chip.

    Weights are those of ``interpolate(x[start : start + length], size_out, mode="bicubic",
    antialias=True)``: pixels outside the stretch have no share in it. The kernel is widened where
    the stretch is made smaller.

    Args:
        starts: (b,) first pixel of the stretch.
        lengths: (b,) its pixels, > 0.
        mirrored: (b,) bool: whether the result runs from the last pixel to the first.
        size_in: Pixels of the axis.
        size_out: Pixels of the result.

    Returns:
        (b, size_out, size_in) float32 on the device of ``starts``; rows sum to 1.

    References:
        Keys 1981, doi:10.1109/TASSP.1981.1163711, eq. 15.
    """
    forth = torch.arange(size_out, device=starts.device)
    places = torch.where(mirrored[:, None], forth.flip(0), forth)[..., None]
    pixels = _taps(places, lengths, size_in)
    length, longer = lengths[:, None, None], lengths.clamp(min=size_out)[:, None, None]
    # Whole numbers until the division: float32 loses the fourth digit of a distance at pixel 600.
    distance = ((2 * pixels + 1) * size_out - (2 * places + 1) * length) / (2 * longer)
    weights = _cubic(distance) * (pixels < length)
    weights = weights / weights.sum(dim=-1, keepdim=True)
    columns = (pixels + starts[:, None, None]).clamp(max=size_in - 1)
    matrix = weights.new_zeros(len(starts), size_out, size_in)
    return matrix.scatter_add_(2, columns, weights)


def _taps(places: Tensor, lengths: Tensor, size_in: int) -> Tensor:
    """(b, size_out, taps) pixels of the stretch that a kernel may reach; the others weigh nothing.

    The first is floor(centre - reach + 1/2), with centre = (place + 1/2) * length / size_out and
    reach = 2 * max(1, length / size_out).
    """
    size_out = places.shape[1]
    widest = max(1.0, size_in / size_out)
    taps = min(size_in, math.ceil(2 * _CUBIC_RADIUS * widest) + 1)
    length, longer = lengths[:, None, None], lengths.clamp(min=size_out)[:, None, None]
    doubled = (2 * places + 1) * length - 2 * _CUBIC_RADIUS * longer + size_out
    first = doubled.div(2 * size_out, rounding_mode="floor").clamp(min=0)
    return first + torch.arange(taps, device=lengths.device)


def _cubic(distance: Tensor) -> Tensor:
    x = distance.abs()
    near = ((_CUBIC_A + 2) * x - (_CUBIC_A + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * _CUBIC_A
    return torch.where(x < 1, near, torch.where(x < _CUBIC_RADIUS, far, torch.zeros_like(x)))


def apply_to_both_axes(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Products with a chip's own matrices.

    Args:
        x: (b, H, C * W): rows of a chip's channels side by side.
        rows: (b, s, H) matrices of the vertical axis.
        columns: (b, s, W) matrices of the horizontal axis.

    Returns:
        (b, C, s, s).
    """
    side, width = columns.shape[1:]
    # (b, s, C * W) -> (b, s * C, W)
    tall = torch.bmm(rows, x).reshape(len(x), -1, width)
    both = torch.bmm(tall, columns.transpose(1, 2))
    # (b, s * C, s) -> (b, C, s, s)
    return both.reshape(len(x), side, -1, side).transpose(1, 2)
