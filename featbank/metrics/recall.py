"""Recall: the share of a class that is found."""

from __future__ import annotations

from operator import attrgetter

from featbank.metrics.metric import MACRO, MICRO, SAMPLES, WEIGHTED, Counts, MetricSpec, Values
from featbank.metrics.scoring.ratios import ratio


def recall(counts: Counts) -> Values:
    """Values (..., K) of tp / (tp + fn); NaN for a class without samples in truth."""
    return ratio(counts.tp, counts.support)


SPECS = (
    MetricSpec(
        name="recall",
        summary="tp / (tp + fn) of each class",
        function=recall,
        trials=attrgetter("support"),
        per_class=True,
        averages=(MACRO, MICRO, WEIGHTED, SAMPLES),
    ),
)
