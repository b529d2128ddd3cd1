"""Calibration: decisions by confidence, and the temperature that brings both together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.metrics.calibration import ece
from featbank.metrics.losses import SMALLEST
from featbank.metrics.metric import Bins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.metrics.metric import Values

N_BINS = 15  # Guo et al. 2017, arXiv:1706.04599, section 5
# Searched temperatures: e^-4 turns any lead into certainty, e^4 all classes into equals.
_LOG_TEMPERATURE = 4.0


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """A reliability diagram.

    Attributes:
        edges: (M + 1,) edges of the bins; a bin holds its lower edge, the last also 1.
        count: (M,) decisions.
        confidence: (M,) their mean confidence; NaN in an empty bin.
        accuracy: (M,) share of them that is right; NaN in an empty bin.
        error: Expected calibration error, where a confidence of exactly 1 is a bin of its own.
    """

    edges: Values
    count: Values
    confidence: Values
    accuracy: Values
    error: float


def reliability(truth: Array, scores: Array, *, n_bins: int = N_BINS) -> Reliability:
    """What a reliability diagram draws.

    Args:
        truth: (N,) class indices, or (N, K) 0 and 1, whose labels are pooled.
        scores: (N, K) probabilities.
        n_bins: Bins of equal width.

    References:
        DeGroot and Fienberg 1983, doi:10.2307/2987588; Guo et al. 2017, arXiv:1706.04599.
    """
    bins = pooled(bins_of(truth, scores, n_bins=n_bins))
    count, confidence, correct = map(_drawn, (bins.count, bins.confidence, bins.correct))
    filled = np.where(count > 0, count, np.nan)
    return Reliability(
        edges=np.linspace(0, 1, n_bins + 1),
        count=count,
        confidence=confidence / filled,
        accuracy=correct / filled,
        error=float(ece(bins)),
    )


def _drawn(sums: Values) -> Values:
    """(M,) of (M + 1,): a decision of confidence 1 is drawn in the bin below it."""
    return np.append(sums[:-2], sums[-2:].sum())


def bins_of(truth: Array, scores: Array, *, n_bins: int = N_BINS) -> Bins:
    """Decisions by confidence.

    Of one class a sample, the confidence is the greatest probability, right where its class is
    the true one: (1, M + 1). Of several labels, it is each label's probability, right where the
    label holds: (K, M + 1).

    A bin holds its lower edge, and a confidence of exactly 1 is in a bin of its own, the last, as
    in torchmetrics. Votes of few neighbours lie on edges: of 5 neighbours all do.

    Args:
        truth: (N,) class indices, or (N, K) 0 and 1.
        scores: (N, K) probabilities.
        n_bins: M bins of equal width in [0, 1), and one for 1.

    References:
        Lightning-AI/torchmetrics 1.9.0, functional/classification/calibration_error.py, lines
        49-59 and 92 (``torch.bucketize``, right, on edges of the confidences' dtype).
    """
    if truth.ndim == 1:
        is_right = scores.argmax(axis=1) == truth
        return _binned(is_right[:, None], scores.max(axis=1)[:, None], n_bins)
    return _binned(truth, scores, n_bins)


def pooled(bins: Bins) -> Bins:
    """All decisions (M,) as if of one label."""
    return Bins(
        count=bins.count.sum(axis=0),
        confidence=bins.confidence.sum(axis=0),
        correct=bins.correct.sum(axis=0),
    )


def are_probabilities(scores: Array, *, exclusive: bool) -> bool:
    """Whether scores (N, K) lie in [0, 1], and add up to 1 where classes exclude each other."""
    tolerance = 1e-3  # a thousand float32 sums of votes stay within it
    is_inside = scores.size == 0 or (scores.min() >= -tolerance and scores.max() <= 1 + tolerance)
    return bool(
        is_inside and (not exclusive or (np.abs(scores.sum(axis=1) - 1) <= tolerance).all())
    )


def fit_temperature(truth: Array, scores: Array) -> float:
    """The temperature of least log loss; 1 without samples.

    Args:
        truth: (N,) class indices, or (N, K) 0 and 1: one temperature for all labels.
        scores: (N, K) probabilities of samples that the probe was not fitted on.

    References:
        Guo et al. 2017, arXiv:1706.04599, section 4.2.
    """
    from scipy.optimize import minimize_scalar

    if not scores.size:
        return 1.0
    logits = _logits(scores, exclusive=truth.ndim == 1)

    def loss(log_temperature: float) -> float:
        return _log_loss(truth, logits / np.exp(log_temperature))

    bounds = (-_LOG_TEMPERATURE, _LOG_TEMPERATURE)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def scaled(scores: Array, temperature: float, *, exclusive: bool) -> Values:
    """Probabilities (N, K) whose logits are divided by a temperature.

    Args:
        scores: (N, K) probabilities.
        temperature: Above 1 makes them less sure.
        exclusive: Whether a sample has one class, so that a row adds up to 1.
    """
    logits = _logits(scores, exclusive=exclusive) / temperature
    if not exclusive:
        return np.asarray(1 / (1 + np.exp(-logits)))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _binned(right: Array, confidence: Array, n_bins: int) -> Bins:
    """Bins (K, M + 1) of decisions (N, K)."""
    n, k = confidence.shape
    lower = _edges(n_bins, np.float32 if confidence.dtype == np.float32 else np.float64)
    values = confidence.astype(np.float64)
    found = np.searchsorted(lower[1:], confidence.ravel(), side="right")
    cells = found + np.tile(np.arange(k) * (n_bins + 1), n)

    def summed(weights: Array | None) -> Values:
        sums = np.bincount(cells, None if weights is None else weights.ravel(), k * (n_bins + 1))
        return sums.reshape(k, n_bins + 1).astype(np.float64)

    return Bins(count=summed(None), confidence=summed(values), correct=summed(right))


def _edges(n_bins: int, dtype: type[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """(M + 1,) edges as ``torch.linspace`` rounds them: from 0 up and from 1 down, each once.

    A share of votes, such as .6 in float32, lies on an edge or beside it by that rounding.
    """
    wide = np.float64 if dtype is np.float32 else np.longdouble
    step, places = wide(dtype(1) / dtype(n_bins)), np.arange(n_bins + 1)
    rising, falling = step * places, wide(1) - step * places[::-1]
    return np.where(places < (n_bins + 1) // 2, rising, falling).astype(dtype)


def _logits(scores: Array, *, exclusive: bool) -> Values:
    kept = np.clip(scores.astype(np.float64), SMALLEST, 1 - SMALLEST)
    return np.log(kept) if exclusive else np.log(kept) - np.log1p(-kept)


def _log_loss(truth: Array, logits: Values) -> float:
    if truth.ndim == 2:
        return float(np.logaddexp(0, np.where(truth == 1, -logits, logits)).mean())
    highest = logits.max(axis=1)
    total = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    return float((total - logits[np.arange(len(truth)), truth]).mean())
