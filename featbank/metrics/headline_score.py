"""The metric that stands first, of scores as predictions keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.scoring.averages import LEFT_OUT, Absent
from featbank.metrics.scoring.multilabel_scoring import mean_average_precision

if TYPE_CHECKING:
    from featbank.image import Array


def headline_score(truth: Array, scores: Array, *, absent: Absent = LEFT_OUT) -> float:
    """Accuracy of one class a sample, macro mean average precision of several labels.

    Args:
        truth: (N,) class indices, or (N, K) 0 and 1.
        scores: (N, K) finite probabilities.
        absent: What a mean over labels makes of those without positives.
    """
    if truth.ndim == 2:
        return mean_average_precision(truth, as_kept(scores), absent=absent)
    return float((as_kept(scores).argmax(axis=1) == truth).mean())


def as_kept(scores: Array) -> Array:
    """Scores as the predictions file keeps them, in float32.

    All metrics are made of these, so that anyone who scores the file finds the same numbers, and
    so that scores which differ by rounding alone, such as sums of all votes, are equal.
    """
    return scores.astype(np.float32)
