"""Batches of tokens of several lengths as one list of tokens.

References:
    Oquab et al. 2024, arXiv:2304.07193, section 5 ("Sequence packing").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

# (B_i, T_i) of each batch.
Shapes: TypeAlias = "Sequence[tuple[int, int]]"


def packed(batches: Sequence[Tensor]) -> tuple[Tensor, Shapes]:
    """(B_i, T_i, D) each -> (sum of B_i T_i, D), and the shapes."""
    shapes = [(batch.shape[0], batch.shape[1]) for batch in batches]
    return torch.cat([batch.flatten(0, 1) for batch in batches]), shapes


def unpacked(tokens: Tensor, shapes: Shapes) -> list[Tensor]:
    """(sum of B_i T_i, D) -> (B_i, T_i, D) each."""
    parts = torch.split(tokens, [rows * length for rows, length in shapes])
    return [part.reshape(*shape, -1) for part, shape in zip(parts, shapes, strict=True)]
