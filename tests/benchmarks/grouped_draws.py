"""Made test sets whose samples stand in groups, and the truth that a fixed probe has on new groups.

A group draws its own share right (or prevalence) from a beta distribution of mean p and variance
icc p (1 - p), so that icc is the correlation of two of its samples. Group sizes are 50, or
log-normal about 50 with sigma 0.9, among which the largest of 40 is about nine times the median.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MEAN_SIZE, SIZE_SIGMA = 50, 0.9


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What is drawn.

    Attributes:
        groups: G groups.
        p: Share right; for rankings, the macro average precision.
        icc: Correlation of two samples of a group.
        is_equal: Whether groups are of equal size.
        few: Whether some classes are in about six groups only.
    """

    groups: int
    p: float
    icc: float
    is_equal: bool
    few: bool = False


def group_sizes(rng: Any, repeats: int, groups: int, is_equal: bool) -> Any:
    """(R, G) samples of each group."""
    if is_equal:
        return np.full((repeats, groups), MEAN_SIZE)
    logs = rng.normal(-(SIZE_SIGMA**2) / 2, SIZE_SIGMA, (repeats, groups))
    return np.maximum(1, np.round(MEAN_SIZE * np.exp(logs))).astype(int)


def group_shares(rng: Any, p: float, icc: float, shape: tuple[int, ...]) -> Any:
    """Shares of this shape, of mean p and variance icc p (1 - p)."""
    if icc == 0 or p in (0, 1):
        return np.full(shape, p)
    sum_of_both = (1 - icc) / icc
    return rng.beta(p * sum_of_both, (1 - p) * sum_of_both, shape)


def accuracy_draw(
    rng: Any, *, repeats: int, groups: int, p: float, icc: float, is_equal: bool
) -> Any:
    """Right ones and samples, both (R, G)."""
    sizes = group_sizes(rng, repeats, groups, is_equal)
    return rng.binomial(sizes, group_shares(rng, p, icc, sizes.shape)), sizes


def accuracy_left_out(right: Any, sizes: Any) -> Any:
    """Accuracies (R,), and (G, R) without each group."""
    hits, n = right.sum(axis=1), sizes.sum(axis=1)
    return hits / n, ((hits[:, None] - right) / (n[:, None] - sizes)).T
