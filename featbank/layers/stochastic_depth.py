"""Stochastic depth that skips the computation of what it drops.

References:
    Huang et al. 2016, arXiv:1603.09382. Computing the branch for the kept rows alone: Oquab et al.
    2024, arXiv:2304.07193, section 5 ("Efficient stochastic depth").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from featbank.layers.packing import Shapes


def add_branch(x: Tensor, branch: Callable[[Tensor], Tensor], rate: float) -> Tensor:
    """``x + branch(x)`` for a random part of the rows, scaled up so that its expectation stays.

    The same number of rows is kept at every call, so the cost falls by exactly the rate.

    Args:
        x: (B, T, D).
        branch: Residual branch, (b, T, D) -> (b, T, D).
        rate: Share of the B rows that are left as they are, 0 to below 1; at least one row is kept.

    Returns:
        (B, T, D).
    """
    if rate == 0.0:
        return x + branch(x)
    rows = x.shape[0]
    kept = max(1, int(rows * (1 - rate)))
    index = torch.randperm(rows, device=x.device)[:kept]
    residual = branch(x.index_select(0, index))
    return torch.index_add(x, 0, index, residual.to(x.dtype), alpha=rows / kept)


def add_packed_branch(
    x: Tensor, shapes: Shapes, branch: Callable[[Tensor, Shapes], Tensor], rate: float
) -> Tensor:
    """``add_branch`` for packed rows of several lengths: each batch leaves out its own share.

    Args:
        x: (sum of B_i T_i, D).
        shapes: (B_i, T_i) of each batch.
        branch: Residual branch of packed tokens and their shapes.
        rate: Share of each B_i, as for ``add_branch``.
    """
    if rate == 0.0:
        return x + branch(x, shapes)
    places, scales, kept_shapes, start = [], [], [], 0
    for rows, length in shapes:
        kept = max(1, int(rows * (1 - rate)))
        chosen = torch.randperm(rows, device=x.device)[:kept]
        within = torch.arange(length, device=x.device)
        places.append((start + chosen[:, None] * length + within).flatten())
        scales.append(x.new_full((kept * length, 1), rows / kept))
        kept_shapes.append((kept, length))
        start += rows * length
    index = torch.cat(places)
    residual = branch(x.index_select(0, index), kept_shapes)
    return torch.index_add(x, 0, index, (residual * torch.cat(scales)).to(x.dtype))
