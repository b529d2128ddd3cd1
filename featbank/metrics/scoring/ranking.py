"""Rankings: decisions sorted by score once, then counted down for as many resamples as wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.metric import Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.metrics.metric import Values


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Decisions in order of falling score, cut where a score of positives ends.

    Attributes:
        rows: (S,) sample, or unit that is resampled, of each decision down to the lowest positive.
        ends: (M,) one past the last decision of each of the M cuts.
        positives: (P,) row of each positive, in the same order.
        positive_ends: (M,) one past the last positive of each cut.
        thresholds: (M,) score at the end of each cut, falling.
    """

    rows: NDArray[np.int32]
    ends: NDArray[np.int32]
    positives: NDArray[np.int32]
    positive_ends: NDArray[np.int32]
    thresholds: Values

    def counts(self) -> Counts:
        """Decisions (M, 1) by truth if all down to each threshold were yes; no true negatives."""
        tp = self.positive_ends.astype(np.float64)[:, None]
        fp = self.ends[:, None] - tp
        return Counts(tp=tp, fp=fp, fn=len(self.positives) - tp, tn=np.zeros_like(tp))


def rank(truth: Array, scores: Array, rows: Array | None = None) -> Ranking:
    """Sort decisions by score.

    Args:
        truth: (N,) 0 and 1 of one label, or (N, K) of K labels that are pooled.
        scores: Finite numbers of the same shape; equal scores are one threshold.
        rows: (N,) row of each sample; None numbers the samples.
    """
    order = np.argsort(-scores, axis=None)
    sorted_scores, is_positive = scores.ravel()[order], truth.ravel()[order].astype(bool)
    samples = order // (scores.size // len(scores)) if len(scores) else order
    numbered = (samples if rows is None else rows[samples]).astype(np.int32)
    is_last = np.append(np.diff(sorted_scores) != 0, True)[: len(order)]
    ends = np.flatnonzero(is_last) + 1
    positive_ends = np.cumsum(is_positive)[ends - 1]
    adds = np.diff(positive_ends, prepend=0) > 0
    ends, positive_ends = ends[adds], positive_ends[adds]
    return Ranking(
        rows=numbered[: ends[-1] if len(ends) else 0],
        ends=ends.astype(np.int32),
        positives=numbered[is_positive],
        positive_ends=positive_ends.astype(np.int32),
        thresholds=sorted_scores[ends - 1].astype(np.float64),
    )
