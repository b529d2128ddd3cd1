"""Rankings: samples sorted by score once, then counted down for as many resamples as wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.metric import Curve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.metrics.metric import Values

_BLOCK_NUMBERS = 1 << 20  # numbers in the largest array of a block: 8 MB of float64


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Decisions in order of falling score, cut where a score of positives ends.

    Attributes:
        samples: (S,) sample of each decision, down to the lowest positive.
        starts: (M,) where each of the M cuts begins in ``samples``.
        positives: (P,) sample of each positive, in the same order.
        positive_starts: (M,) where each cut begins in ``positives``.
        thresholds: (M,) score at the end of each cut, falling.
    """

    samples: NDArray[np.intp]
    starts: NDArray[np.intp]
    positives: NDArray[np.intp]
    positive_starts: NDArray[np.intp]
    thresholds: Values

    def curve(self, weights: Values) -> Curve:
        """Hits (b, M) along the thresholds for weights (b, N) of the samples."""
        if not len(self.thresholds):
            empty = np.zeros((len(weights), 0))
            return Curve(tp=empty, fp=empty)
        tp = _cut_sums(weights[:, self.positives], self.positive_starts)
        return Curve(tp=tp, fp=_cut_sums(weights[:, self.samples], self.starts) - tp)

    def curves(self, weights: Values) -> Iterator[Curve]:
        """The same in blocks of resamples, so that memory stays bounded."""
        size = max(1, _BLOCK_NUMBERS // max(1, len(self.samples)))
        return (self.curve(weights[start : start + size]) for start in range(0, len(weights), size))


def rank(truth: Array, scores: Array) -> Ranking:
    """Sort decisions by score.

    Args:
        truth: (N,) 0 and 1 of one label, or (N, K) of K labels that are pooled.
        scores: Finite numbers of the same shape; equal scores are one threshold.
    """
    order = np.argsort(-scores.ravel(), kind="stable")
    sorted_scores, is_positive = scores.ravel()[order], truth.ravel()[order].astype(bool)
    samples = order // (scores.size // len(scores)) if len(scores) else order
    is_start = np.diff(sorted_scores, prepend=np.inf) != 0
    run_of = np.cumsum(is_start) - 1
    run_starts = np.append(np.flatnonzero(is_start), len(order))
    runs = np.unique(run_of[is_positive])
    ends = run_starts[runs + 1]  # one past the last decision of each run that has a positive
    positions = np.flatnonzero(is_positive)
    return Ranking(
        samples=samples[: ends[-1] if len(ends) else 0],
        starts=np.concatenate([np.zeros(1, np.intp), ends])[: len(ends)],
        positives=samples[positions],
        positive_starts=np.searchsorted(positions, run_starts[runs]),
        thresholds=sorted_scores[ends - 1].astype(np.float64),
    )


def _cut_sums(values: Values, starts: NDArray[np.intp]) -> Values:
    summed: Values = np.add.reduceat(values, starts, axis=1).cumsum(axis=1)
    return summed
