"""Arithmetic that metrics share; all of it takes confusion matrices with any leading axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from featbank.metrics.metric import Counts


def ratio(numerator: Counts, denominator: Counts) -> Counts:
    """The quotient, NaN where the denominator is 0."""
    undefined = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    quotient: Counts = np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return quotient


def hits(counts: Counts) -> Counts:
    """Samples (..., K) of each class that are predicted as it."""
    return np.diagonal(counts, axis1=-2, axis2=-1)


def support(counts: Counts) -> Counts:
    """Samples (..., K) of each class in truth."""
    summed: Counts = counts.sum(axis=-1)
    return summed


def predictions(counts: Counts) -> Counts:
    """Samples (..., K) predicted as each class."""
    summed: Counts = counts.sum(axis=-2)
    return summed


def rejections(counts: Counts) -> Counts:
    """Samples (..., K) that are neither of the class nor predicted as it."""
    total: Counts = counts.sum(axis=(-2, -1))[..., None]
    return total - support(counts) - predictions(counts) + hits(counts)


def present_mean(values: Counts, counts: Counts) -> Counts:
    """Mean (...) of one value a class (..., K) over the classes that have samples in truth."""
    kept = (support(counts) > 0) & ~np.isnan(values)
    return ratio(np.where(kept, values, 0.0).sum(axis=-1), kept.sum(axis=-1))
