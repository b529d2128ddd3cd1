"""McNemar's exact test: whether two predictions of independent samples are as often right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from featbank.image import Array


def mcnemar(first: Array, second: Array) -> float:
    """Two-sided p-value of both being right equally often; 1 where they never part.

    Of the samples where one alone is right, half would be the first's by chance: the p-value is
    the binomial probability of a split as uneven or more. It takes samples as independent; where
    those of a group are alike it too often finds differences that are none.

    Args:
        first: (N,) bool, whether the first is right on each sample.
        second: (N,) bool, the same of the second.

    References:
        McNemar 1947, doi:10.1007/BF02295996; the exact form: Agresti 2013, Categorical Data
        Analysis, 3rd edition, 11.1.4.
    """
    from scipy.special import bdtr

    alone = int((first & ~second).sum()), int((second & ~first).sum())
    return float(min(1.0, 2 * bdtr(min(alone), sum(alone), 0.5)))
