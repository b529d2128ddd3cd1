"""Losses of probabilities: what a probe is fitted for, and the square of what it is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.metric import MetricSpec

if TYPE_CHECKING:
    from featbank.image import Array
    from featbank.metrics.metric import Values

# The gap between 1 and the number below it among scores as they are kept, in float32: a score of
# exactly 0, such as k-NN gives where no neighbour votes, stands for no less.
SMALLEST = float(np.finfo(np.float32).eps)
# Where a few groups hold most of a loss, the rule of the other metrics falls short
# (docs/intervals.md; tests/benchmarks/interval_losses.py).
_NO_INTERVAL = None


def log_loss(truth: Array, scores: Array, exclusive: bool) -> Values:
    """Minus the logarithm (N,) of the probability given to the truth; mean over labels.

    Args:
        truth: (N, K) 0 and 1.
        scores: (N, K) probabilities; moved into [2^-23, 1 - 2^-23].
        exclusive: Whether a sample has one class, so that its probability alone counts.
    """
    kept = np.clip(scores.astype(np.float64), SMALLEST, 1 - SMALLEST)
    if exclusive:
        given: Values = kept[truth.astype(bool)]
        return np.asarray(-np.log(given))
    loss: Values = -np.log(np.where(truth == 1, kept, 1 - kept)).mean(axis=1)
    return loss


def brier(truth: Array, scores: Array, exclusive: bool) -> Values:
    """Squared difference (N,) of scores from 0 and 1: summed over classes, mean over labels.

    Args:
        truth: (N, K) 0 and 1.
        scores: (N, K) probabilities.
        exclusive: Whether a sample has one class.

    References:
        Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2, eq. 2.
    """
    squares = (scores.astype(np.float64) - truth) ** 2
    loss: Values = squares.sum(axis=1) if exclusive else squares.mean(axis=1)
    return loss


SPECS = (
    MetricSpec(
        name="log_loss",
        summary="minus the logarithm of the probability given to the truth; less is better",
        function=log_loss,
        takes="losses",
        bounds=_NO_INTERVAL,
        less_is_better=True,
    ),
    MetricSpec(
        name="brier",
        summary="squared difference of probabilities from the truth; less is better",
        function=brier,
        takes="losses",
        bounds=_NO_INTERVAL,
        less_is_better=True,
    ),
)
