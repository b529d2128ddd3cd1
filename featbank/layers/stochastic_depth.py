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
