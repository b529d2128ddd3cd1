"""The softmax-weighted vote of nearest neighbours, for one class a sample or several labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from featbank.errors import ProbeError

if TYPE_CHECKING:
    from featbank.image import Array


def vote(similarity: Array, labels: Array, *, classes: int, k: int, temperature: float) -> Array:
    """Class scores of the first k neighbours, weighted by a softmax over all M neighbours.

    As in the reference, weights are normalised over M and then truncated to k, so rows sum to 1
    only where k = M.

    Args:
        similarity: (Q, M) similarities in decreasing order.
        labels: (Q, M) class indices of those neighbours, in [0, K).
        classes: K.
        k: Neighbours that vote, in [1, M].
        temperature: Softmax temperature, > 0; 0.07 in the reference.

    Returns:
        (Q, K) float64 scores in [0, 1].

    Raises:
        ProbeError: k, the temperature, the labels or their shape are out of range.

    References:
        Wu et al. 2018, arXiv:1805.01978, eq. 4; facebookresearch/dinov2, dinov2/eval/knn.py.
    """
    _check(similarity, labels, classes=classes, k=k, temperature=temperature)
    weights = softmax(similarity.astype(np.float64, copy=False) / temperature)[:, :k]
    # (Q, k) pairs of row and class -> one bin each of Q * K
    bins = np.arange(len(labels))[:, None] * classes + labels[:, :k]
    summed = np.bincount(bins.ravel(), weights.ravel(), minlength=len(labels) * classes)
    return summed.reshape(-1, classes)


def vote_labels(similarity: Array, index: Array, labels: Array, *, temperature: float) -> Array:
    """Label probabilities: the softmax weight of the neighbours that bear each label.

    All M neighbours vote and their weights sum to 1, so a label that all of them bear has
    probability 1, one that none bears 0, and the labels do not compete.

    Args:
        similarity: (Q, M) similarities of the neighbours.
        index: (Q, M) rows of the neighbours in ``labels``.
        labels: (N, K) 0 and 1 of the samples that were searched.
        temperature: Softmax temperature, > 0.

    Returns:
        (Q, K) float64 probabilities.

    Raises:
        ProbeError: The temperature is out of range, or the shapes differ.
    """
    _check_shapes(similarity, index)
    _check_temperature(temperature)
    weights = softmax(similarity.astype(np.float64, copy=False) / temperature)
    ends = np.arange(0, index.size + 1, index.shape[1])
    # (Q, N) sparse weights @ (N, K) labels: never (Q, M, K), which is gigabytes for many labels
    table = csr_array((weights.ravel(), index.ravel(), ends), shape=(len(index), len(labels)))
    # Rounding may lift a sum of weights past 1 by one bit.
    summed: Array = table @ labels.astype(np.float64)
    return np.minimum(summed, 1.0)


def softmax(scores: Array) -> Array:
    """Softmax of (N, K) scores over K, safe from overflow."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    return shares


def _check(similarity: Array, labels: Array, *, classes: int, k: int, temperature: float) -> None:
    _check_shapes(similarity, labels)
    if not 1 <= k <= similarity.shape[1]:
        raise ProbeError(
            "k",
            f"it is {k} of {similarity.shape[1]} neighbours",
            "at least 1 and no more than were found",
            "Search more neighbours or pass a smaller k.",
        )
    _check_temperature(temperature)
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ProbeError(
            "labels",
            f"they range from {labels.min()} to {labels.max()}",
            f"class indices in [0, {classes})",
            "Leave out samples without a label.",
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
