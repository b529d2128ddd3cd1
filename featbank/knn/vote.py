"""The softmax-weighted vote of nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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


def softmax(scores: Array) -> Array:
    """Softmax of (N, K) scores over K, safe from overflow."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    return shares


def _check(similarity: Array, labels: Array, *, classes: int, k: int, temperature: float) -> None:
    if labels.shape != similarity.shape:
        raise ProbeError(
            "labels",
            f"their shape is {labels.shape}",
            f"{similarity.shape}, as the similarities",
            "Pass the labels of the neighbours: labels[index].",
        )
    if not 1 <= k <= similarity.shape[1]:
        raise ProbeError(
            "k",
            f"it is {k} of {similarity.shape[1]} neighbours",
            "at least 1 and no more than were found",
            "Search more neighbours or pass a smaller k.",
        )
    if not temperature > 0:
        raise ProbeError("temperature", f"it is {temperature}", "a number > 0", "Pass 0.07.")
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ProbeError(
            "labels",
            f"they range from {labels.min()} to {labels.max()}",
            f"class indices in [0, {classes})",
            "Leave out samples without a label.",
        )
