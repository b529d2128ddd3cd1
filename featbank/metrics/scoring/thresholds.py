"""Thresholds: one a label, from scores of samples that their probe was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.scoring.ranking import rank
from featbank.metrics.scoring.ratios import f_score

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.metrics.metric import Values

# With fewer positives the best threshold is that of a handful of samples (design of the probes).
MIN_POSITIVES = 20
FIXED = 0.5


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """One threshold a label: a score at or above it is a yes.

    Attributes:
        values: (K,) thresholds.
        is_pooled: (K,) whether the label had too few positives and took the pooled threshold.
        positives: (K,) positives of each label among them.
    """

    values: Values
    is_pooled: NDArray[np.bool_]
    positives: NDArray[np.int64]


def tuned_thresholds(
    truth: Array,
    scores: Array,
    *,
    beta: float = 2.0,
    min_positives: int = MIN_POSITIVES,
    unlearned: Collection[int] = (),
) -> Thresholds:
    """The thresholds of greatest F-beta, label by label.

    A label with too few positives takes the one threshold that is best for the micro F-beta of
    all labels pooled; without a single positive that is 0.5.

    Args:
        truth: (N, K) 0 and 1.
        scores: (N, K) finite scores.
        beta: Weight of recall; 2 for F2.
        min_positives: Positives that a label needs for a threshold of its own.
        unlearned: Labels whose scores say nothing; they take the pooled threshold, and no part in
            it.
    """
    positives = truth.sum(axis=0, dtype=np.int64)
    told = [k for k in range(truth.shape[1]) if k not in unlearned]
    pooled = best_threshold(truth[:, told], scores[:, told], beta=beta) if told else FIXED
    is_pooled = (positives < min_positives) | ~np.isin(np.arange(truth.shape[1]), told)
    own = [
        pooled if is_pooled[k] else best_threshold(truth[:, k], scores[:, k], beta=beta)
        for k in range(truth.shape[1])
    ]
    return Thresholds(values=np.array(own), is_pooled=is_pooled, positives=positives)


def best_threshold(truth: Array, scores: Array, *, beta: float) -> float:
    """The observed score of greatest F-beta, the highest of equals; 0.5 without positives.

    Args:
        truth: (N,) 0 and 1, or (N, K) pooled.
        scores: Finite scores of the same shape.
        beta: Weight of recall.
    """
    ranking = rank(truth, scores)
    if not len(ranking.thresholds):
        return FIXED
    return float(ranking.thresholds[np.argmax(f_score(ranking.counts(), beta)[:, 0])])
