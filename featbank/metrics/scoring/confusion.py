"""Confusion matrices, weighted or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ProbeError
from featbank.metrics.metric import Counts

if TYPE_CHECKING:
    from featbank.image import Array
    from featbank.metrics.metric import Values


def confusion_matrix(
    truth: Array, predicted: Array, *, n_classes: int, weights: Array | None = None
) -> Values:
    """Count samples by true and predicted class.

    Args:
        truth: (N,) class indices in [0, K).
        predicted: (N,) class indices in [0, K).
        n_classes: K.
        weights: (N,) weight of each sample, >= 0; 1 each by default.

    Returns:
        (K, K) float64, truth in rows and prediction in columns.

    Raises:
        ProbeError: A class index is out of range, or the lengths differ.
    """
    cells = confusion_cells(truth, predicted, n_classes=n_classes)
    counts = np.bincount(cells, weights, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.float64, copy=False)


def class_counts(confusion: Values) -> Counts:
    """Counts by class (..., K) of confusion matrices (..., K, K), truth in rows."""
    tp = np.diagonal(confusion, axis1=-2, axis2=-1)
    support, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    total = confusion.sum(axis=(-2, -1))[..., None]
    return Counts(tp=tp, fp=predicted - tp, fn=support - tp, tn=total - support - predicted + tp)


def confusion_cells(truth: Array, predicted: Array, *, n_classes: int) -> Array:
    """Position (N,) of each sample in the flattened confusion matrix, in [0, K^2).

    Raises:
        ProbeError: A class index is out of range, or the lengths differ.
    """
    if truth.shape != predicted.shape or truth.ndim != 1:
        raise ProbeError(
            "predicted",
            f"its shape is {predicted.shape}",
            f"{truth.shape}, one class index a sample as in truth",
            "Score predictions of the same samples.",
        )
    for name, labels in (("truth", truth), ("predicted", predicted)):
        if labels.size and not (labels.min() >= 0 and labels.max() < n_classes):
            raise ProbeError(
                name,
                f"its classes range from {labels.min()} to {labels.max()}",
                f"class indices in [0, {n_classes})",
                "Leave out samples without a label.",
            )
    return truth.astype(np.int64) * n_classes + predicted
