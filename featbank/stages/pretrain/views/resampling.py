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
_CUBIC_RADIUS = 2.0


def resampling_matrix(starts: Tensor, lengths: Tensor, *, size_in: int, size_out: int) -> Tensor:
    """Antialiased bicubic resizing of a stretch of pixels, a matrix for each chip.

    Weights are those of ``interpolate(x[start : start + length], size_out, mode="bicubic",
    antialias=True)``: pixels outside the stretch have no share in it. The kernel is widened where
    the stretch is made smaller.

    Args:
        starts: (b,) first pixel of the stretch.
        lengths: (b,) its pixels, > 0.
        size_in: Pixels of the axis.
        size_out: Pixels of the result.

    Returns:
        (b, size_out, size_in) float32 on the device of ``starts``; rows sum to 1.

    References:
        Keys 1981, doi:10.1109/TASSP.1981.1163711, eq. 15.
    """
    scale = lengths.double()[:, None, None] / size_out
    stretch = scale.clamp(min=1.0)
    places = torch.arange(size_out, device=starts.device, dtype=torch.float64)[:, None] + 0.5
    centre = places * scale
    # A kernel reaches over few pixels; weights of all the others are never computed.
    taps = min(size_in, math.ceil(2 * _CUBIC_RADIUS * max(1.0, size_in / size_out)) + 1)
    nearest = torch.floor(centre - _CUBIC_RADIUS * stretch + 0.5).clamp(min=0)
    pixels = nearest + torch.arange(taps, device=starts.device)
    weights = _cubic(((pixels + 0.5 - centre) / stretch).float())
    weights = weights * (pixels < lengths[:, None, None])
    weights = weights / weights.sum(dim=-1, keepdim=True)
    columns = (pixels.long() + starts[:, None, None]).clamp(max=size_in - 1)
    matrix = weights.new_zeros(len(starts), size_out, size_in)
    return matrix.scatter_add_(2, columns, weights)


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
