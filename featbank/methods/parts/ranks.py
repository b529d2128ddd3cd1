"""Sums and gathers over the processes of a run; in a run of one process they change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import distributed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def process_count() -> int:
    """Processes of the run."""
    is_joint = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if is_joint else 1


def all_sum(values: Tensor) -> Tensor:
    """Sum over processes, without a gradient.

    Args:
        values: Of one shape in every process.
    """
    return _reduced(values, distributed.ReduceOp.SUM) if process_count() > 1 else values


def all_max(values: Tensor) -> Tensor:
    """Largest over processes, without a gradient.

    Args:
        values: Of one shape in every process.
    """
    return _reduced(values, distributed.ReduceOp.MAX) if process_count() > 1 else values


def gathered(rows: Tensor) -> tuple[Tensor, int]:
    """Rows of all processes in order, and where this process's own begin; gradients flow back.

    The gradient of a row is the sum of what all processes want of it, so that losses that are means
    over the own rows, with gradients averaged over processes, equal one mean over all rows.

    Args:
        rows: (b, D), as many in every process.

    Returns:
        (processes * b, D), and the index of the first own row.
    """
    if process_count() == 1:
        return rows, 0
    gather: Callable[[Tensor], Tensor] = _Gather.apply
    return gather(rows), distributed.get_rank() * len(rows)


class _Gather(torch.autograd.Function):
    """All-gather whose backward pass is a sum: it works in every engine of torch."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:  # noqa: ANN401 - autograd's own record
        ctx.rows = len(rows)
        parts = [torch.empty_like(rows) for _ in range(process_count())]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401 - autograd's own record
        wanted = all_sum(gradients[0].contiguous())
        first = distributed.get_rank() * ctx.rows
        return wanted[first : first + ctx.rows]


def _reduced(values: Tensor, operation: Any) -> Tensor:  # noqa: ANN401 - an enum that torch builds
    out = values.detach().clone()
    distributed.all_reduce(out, op=operation)
    return out
