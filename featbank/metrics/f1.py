"""F1: the harmonic mean of precision and recall."""

from __future__ import annotations

from featbank.metrics.metric import MACRO, MICRO, SAMPLES, WEIGHTED, Counts, MetricSpec, Values
from featbank.metrics.scoring.ratios import f_score


def f1(counts: Counts) -> Values:
    """Values (..., K) of 2 tp / (2 tp + fp + fn); NaN for a class neither present nor predicted."""
    return f_score(counts, 1)


SPECS = (
    MetricSpec(
        name="f1",
        summary="2 tp / (2 tp + fp + fn) of each class",
        function=f1,
        per_class=True,
        averages=(MACRO, MICRO, WEIGHTED, SAMPLES),
    ),
)
