"""Averages over classes: every class alike, or by its samples; absent classes left out, or 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from featbank.metrics.scoring.ratios import kept_mean, ratio

if TYPE_CHECKING:
    from featbank.metrics.metric import Values

Absent = Literal["left out", "zero"]
LEFT_OUT: Absent = "left out"
ZERO: Absent = "zero"


def macro(values: Values, support: Values, *, absent: Absent) -> Values:
    """Mean (...) over classes.

    Args:
        values: (..., K) one value a class, NaN where undefined.
        support: (..., K) samples of each class in truth.
        absent: What becomes of classes without samples in truth: ``left out`` of the mean, or
            counted as ``zero``.

    Returns:
        NaN where there is nothing to average; for ``zero`` only without any sample.
    """
    kept = (support > 0) & ~np.isnan(values)
    if absent == LEFT_OUT:
        return kept_mean(values, kept)
    mean = np.where(kept, values, 0.0).mean(axis=-1)
    return np.where((support > 0).any(axis=-1), mean, np.nan)


def weighted(values: Values, support: Values) -> Values:
    """Mean (...) over classes by their samples; NaN without any. Absent classes weigh nothing."""
    kept = (support > 0) & ~np.isnan(values)
    weights = np.where(kept, support, 0.0)
    return ratio((weights * np.where(kept, values, 0.0)).sum(axis=-1), weights.sum(axis=-1))
