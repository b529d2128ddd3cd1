"""Precision: the share of a class's predictions that are right."""

from __future__ import annotations

import numpy as np

from featbank.metrics._ratios import hits, predictions, ratio, support
from featbank.metrics.metric import Counts, MetricSpec


def precision(counts: Counts) -> Counts:
    """Values (..., K) of tp / (tp + fp).

    A class that is present and never predicted has precision 0, as scikit-learn's
    ``zero_division=0``; one that is neither present nor predicted has NaN.
    """
    is_missed = (predictions(counts) == 0) & (support(counts) > 0)
    return np.where(is_missed, 0.0, ratio(hits(counts), predictions(counts)))


SPECS = (
    MetricSpec(
        name="precision",
        summary="tp / (tp + fp) of each class; 0 for a class that is never predicted",
        function=precision,
        per_class=True,
        average="macro",
    ),
)
