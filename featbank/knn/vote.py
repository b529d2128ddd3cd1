"""The vote of nearest neighbours, for one class a sample or several labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from featbank.catalog import suggest
from featbank.errors import ProbeError, UnknownNameError

if TYPE_CHECKING:
    from featbank.image import Array


SOFTMAX, EXP, UNIFORM = "softmax", "exp", "uniform"
WEIGHTS = (SOFTMAX, EXP, UNIFORM)


@dataclass(frozen=True, kw_only=True)
class Weighting:
    """How much neighbours weigh.

    Attributes:
        k: Neighbours that vote, at least 1.
        temperature: Temperature, > 0; ``uniform`` does not use it. 0.07 in DINO and DINOv2, 0.1
            in Wu et al.
        weights: ``softmax``: exp(similarity / temperature), normalised over all M neighbours found
            and then truncated to k, as in DINOv2, so that they sum to 1 only where k = M. ``exp``:
            the same, divided by the sum of the k. ``uniform``: 1 / k each.

    References:
        facebookresearch/dinov2, dinov2/eval/knn.py; facebookresearch/dino, eval_knn.py; Wu et al.
        2018, arXiv:1805.01978, eq. 4.
    """

    k: int
    temperature: float
    weights: str = SOFTMAX


def neighbour_weights(similarity: Array, how: Weighting) -> Array:
    """Weights (Q, k) float64 of the first k of M neighbours.

    Args:
        similarity: (Q, M) similarities in decreasing order.
        how: How much they weigh.

    Raises:
        ProbeError: k or the temperature is out of range.
        UnknownNameError: No weights have this name.
    """
    _check_k(similarity, how.k)
    _check_temperature(how.temperature)
    if how.weights not in WEIGHTS:
        raise UnknownNameError(
            how.weights,
            "no weights have this name",
            f"one of {', '.join(WEIGHTS)}",
            suggest(how.weights, WEIGHTS),
        )
    if how.weights == UNIFORM:
        return np.full((len(similarity), how.k), 1.0 / how.k)
    scaled = similarity.astype(np.float64, copy=False) / how.temperature
    return softmax(scaled)[:, : how.k] if how.weights == SOFTMAX else softmax(scaled[:, : how.k])


def vote(similarity: Array, labels: Array, classes: int, how: Weighting) -> Array:
    """Class scores of the first k neighbours, each by its weight.

    Args:
        similarity: (Q, M) similarities in decreasing order.
        labels: (Q, M) class indices of those neighbours, in [0, K).
        classes: K.
        how: How much they weigh.

    Returns:
        (Q, K) float64 scores in [0, 1]; of ``softmax``, rows sum to 1 only where k = M.

    Raises:
        ProbeError: k, the temperature, the labels or their shape are out of range.

    References:
        Wu et al. 2018, arXiv:1805.01978, eq. 4; facebookresearch/dinov2, dinov2/eval/knn.py.
    """
    _check(similarity, labels, classes)
    shares = neighbour_weights(similarity, how)
    # (Q, k) pairs of row and class -> one bin each of Q * K
    bins = np.arange(len(labels))[:, None] * classes + labels[:, : how.k]
    summed = np.bincount(bins.ravel(), shares.ravel(), minlength=len(labels) * classes)
    return summed.reshape(-1, classes)


def vote_labels(similarity: Array, index: Array, labels: Array, how: Weighting) -> Array:
    """Label probabilities: the weight of the neighbours that bear each label.

    Where the weights of the voters sum to 1, as those of all M do, a label that all of them bear
    has probability 1, one that none bears 0, and the labels do not compete.

    Args:
        similarity: (Q, M) similarities of the neighbours.
        index: (Q, M) rows of the neighbours in ``labels``.
        labels: (N, K) 0 and 1 of the samples that were searched.
        how: How much they weigh.

    Returns:
        (Q, K) float64 probabilities.

    Raises:
        ProbeError: The temperature is out of range, or the shapes differ.
    """
    _check_shapes(similarity, index)
    shares = neighbour_weights(similarity, how)
    ends = np.arange(0, shares.size + 1, how.k)
    # (Q, N) sparse weights @ (N, K) labels: never (Q, M, K), which is gigabytes for many labels
    voters = index[:, : how.k].ravel()
    table = csr_array((shares.ravel(), voters, ends), shape=(len(index), len(labels)))
    # Rounding may lift a sum of weights past 1 by one bit.
    summed: Array = table @ labels.astype(np.float64)
    return np.minimum(summed, 1.0)


def softmax(scores: Array) -> Array:
    """Softmax of (N, K) scores over K, safe from overflow."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    return shares


def _check(similarity: Array, labels: Array, classes: int) -> None:
    _check_shapes(similarity, labels)
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ProbeError(
            "labels",
            f"they range from {labels.min()} to {labels.max()}",
            f"class indices in [0, {classes})",
            "Leave out samples without a label.",
        )


def _check_k(similarity: Array, k: int) -> None:
    if not 1 <= k <= similarity.shape[1]:
        raise ProbeError(
            "k",
            f"it is {k} of {similarity.shape[1]} neighbours",
            "at least 1 and no more than were found",
            "Search more neighbours or pass a smaller k.",
        )


def _check_shapes(similarity: Array, labels: Array) -> None:
    if labels.shape != similarity.shape:
        raise ProbeError(
            "labels",
            f"their shape is {labels.shape}",
            f"{similarity.shape}, as the similarities",
            "Pass the labels of the neighbours: labels[index].",
        )


def _check_temperature(temperature: float) -> None:
    if not temperature > 0:
        raise ProbeError("temperature", f"it is {temperature}", "a number > 0", "Pass 0.07.")
