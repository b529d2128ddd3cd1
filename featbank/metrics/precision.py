"""Precision: the share of a class's predictions that are right."""

from __future__ import annotations

from operator import attrgetter

import numpy as np

from featbank.metrics.metric import MACRO, MICRO, SAMPLES, WEIGHTED, Counts, MetricSpec, Values
from featbank.metrics.scoring.ratios import ratio


def precision(counts: Counts) -> Values:
    """Values (..., K) of tp / (tp + fp).

    A class that is present and never predicted has precision 0, as scikit-learn's
    ``zero_division=0``; one that is neither present nor predicted has NaN.
    """
    is_missed = (counts.predicted == 0) & (counts.support > 0)
    return np.where(is_missed, 0.0, ratio(counts.tp, counts.predicted))


SPECS = (
    MetricSpec(
        name="precision",
        summary="tp / (tp + fp) of each class; 0 for a class that is present and never predicted",
        function=precision,
        trials=attrgetter("predicted"),
        per_class=True,
        averages=(MACRO, MICRO, WEIGHTED, SAMPLES),
    ),
)
