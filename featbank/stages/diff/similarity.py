"""How far two feature matrices of the same samples are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.knn.search import nearest
from featbank.knn.space import unit_norm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from featbank.image import Array

# Rows computed at once in float64: 25 MB at D = 768.
_BLOCK_ROWS = 4096
# A search among all samples grows with their square. The mean over 5,000 samples of a share in
# [0, 1] has a standard error of at most .5 / sqrt(5000) = .007.
MAX_OVERLAP_ROWS = 5000
NEIGHBOURS = 10


@dataclass(frozen=True, kw_only=True)
class RowDistance:
    """How far two matrices of one shape are apart, row by row.

    Attributes:
        max_abs: Largest absolute difference of two numbers.
        mean_cosine: Mean over rows of the cosine similarity.
        lowest_cosine: Lowest cosine similarity of a row.
        lowest_row: The row that has it.
    """

    max_abs: float
    mean_cosine: float
    lowest_cosine: float
    lowest_row: int


def row_distance(first: Array, second: Array) -> RowDistance:
    """Compare two matrices number by number and row by row, in float64.

    Two rows of zeros have cosine 1; a row of zeros and another have 0.

    Args:
        first: (N, D) numbers, N >= 1.
        second: (N, D) numbers.
    """
    largest, cosines = 0.0, np.empty(len(first))
    for rows in _blocks(len(first)):
        x, y = first[rows].astype(np.float64), second[rows].astype(np.float64)
        largest = max(largest, float(np.abs(x - y).max()))
        cosines[rows] = np.where((x == y).all(axis=1), 1.0, (unit_norm(x) * unit_norm(y)).sum(1))
    lowest = int(cosines.argmin())
    return RowDistance(
        max_abs=largest,
        mean_cosine=float(cosines.mean()),
        lowest_cosine=float(cosines[lowest]),
        lowest_row=lowest,
    )


def linear_cka(first: Array, second: Array) -> float:
    """Linear centred kernel alignment, in its form of O(N D^2) time and O(D^2) memory.

    It is 1 for features that a rotation and one scale make equal, and near 0 for unrelated ones.
    With few samples for many dimensions it is large for unrelated features too.

    Args:
        first: (N, D1) numbers.
        second: (N, D2) numbers of the same samples.

    Returns:
        A number in [0, 1]; NaN where one side does not vary.

    References:
        Kornblith et al. 2019, arXiv:1905.00414, section 3 and equation 4 for linear kernels:
        ||Y'X||^2 / (||X'X|| ||Y'Y||) with Frobenius norms and centred columns.
    """
    means = [np.mean(side, axis=0, dtype=np.float64) for side in (first, second)]
    widths = first.shape[1], second.shape[1]
    xx, yy, xy = (np.zeros((a, b)) for a, b in ((widths[0],) * 2, (widths[1],) * 2, widths))
    for rows in _blocks(len(first)):
        x, y = (side[rows] - mean for side, mean in zip((first, second), means, strict=True))
        xx += x.T @ x
        yy += y.T @ y
        xy += x.T @ y
    scale = float(np.linalg.norm(xx) * np.linalg.norm(yy))
    return min(1.0, float(np.linalg.norm(xy)) ** 2 / scale) if scale > 0 else float("nan")


def neighbour_overlap(
    first: Array, second: Array, *, k: int = NEIGHBOURS, seed: int = 0
) -> tuple[float, int]:
    """Share of the k nearest neighbours by cosine that two matrices agree on.

    A sample is no neighbour of itself. Of more than 5,000 samples, a seeded 5,000 are searched
    among themselves.

    Args:
        first: (N, D1) finite numbers.
        second: (N, D2) finite numbers of the same samples.
        k: Neighbours; at most N - 1 are taken.
        seed: Seed of the sample.

    Returns:
        A number in [0, 1], NaN where there is one sample only; and the k taken.
    """
    rows = np.arange(len(first))
    if len(rows) > MAX_OVERLAP_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MAX_OVERLAP_ROWS, replace=False))
    k = min(k, len(rows) - 1)
    if k < 1:
        return float("nan"), 0
    ours, theirs = (_neighbours(side[rows], k) for side in (first, second))
    # (n, k, 1) against (n, 1, k)
    common = (ours[:, :, None] == theirs[:, None, :]).sum(axis=(1, 2))
    return float(common.mean() / k), k


def _neighbours(features: Array, k: int) -> NDArray[np.int64]:
    """(n, k) rows nearest to each row, itself left out."""
    unit = unit_norm(features)
    index = nearest(unit, unit, k=k + 1)[1]
    # Among equal rows a row need not be its own nearest; then the farthest of the k + 1 goes.
    is_itself = index == np.arange(len(index))[:, None]
    order = np.argsort(is_itself, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(index, order, axis=1)


def _blocks(length: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK_ROWS) for start in range(0, length, _BLOCK_ROWS))
