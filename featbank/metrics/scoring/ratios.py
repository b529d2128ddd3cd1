"""Arithmetic that metrics share; all of it takes any leading axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.metrics.metric import Counts, Values


def ratio(numerator: Values, denominator: Values) -> Values:
    """The quotient, NaN where the denominator is 0."""
    undefined = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    quotient: Values = np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return quotient


def f_score(counts: Counts, beta: float) -> Values:
    """(..., K) of (1 + b²) tp / ((1 + b²) tp + b² fn + fp), b being beta.

    NaN for a class neither present nor predicted.

    References:
        Van Rijsbergen 1979, Information Retrieval, chapter 7.
    """
    square = beta**2
    return ratio((1 + square) * counts.tp, square * counts.support + counts.predicted)


def present_mean(values: Values, counts: Counts) -> Values:
    """Mean (...) of one value a class (..., K) over the classes that have samples in truth."""
    return kept_mean(values, (counts.support > 0) & ~np.isnan(values))


def kept_mean(values: Values, kept: NDArray[np.bool_]) -> Values:
    """Mean (...) of the values (..., K) that are kept; NaN where none is."""
    return ratio(np.where(kept, values, 0.0).sum(axis=-1), kept.sum(axis=-1))
