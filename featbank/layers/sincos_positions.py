"""Fixed position embeddings of sines and cosines on a square grid."""

from __future__ import annotations

import torch
from torch import Tensor

# Longest over shortest wavelength: Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
_BASE = 10_000.0


def sincos_positions(dim: int, side: int) -> Tensor:
    """Position embedding of CLS and of the patches of a square grid.

    The first half of the channels tells the column, the second the row; in each half sines come
    before cosines, of D / 4 frequencies 10000^(-4 i / D).

    Args:
        dim: D, a multiple of 4.
        side: Side of the grid, in patches.

    Returns:
        (1, 1 + side * side, D) float32; CLS has zeros.

    References:
        facebookresearch/mae ``util/pos_embed.py:get_2d_sincos_pos_embed``.
    """
    steps = torch.arange(dim // 4, dtype=torch.float64) / (dim // 4)
    angles = torch.arange(side, dtype=torch.float64).unsqueeze(1) / _BASE**steps
    # (side, D / 2): the code of one coordinate.
    axis = torch.cat([angles.sin(), angles.cos()], dim=1)
    columns, rows = axis.repeat(side, 1), axis.repeat_interleave(side, dim=0)
    patches = torch.cat([columns, rows], dim=1)
    return torch.cat([torch.zeros(1, dim), patches.float()]).unsqueeze(0)
