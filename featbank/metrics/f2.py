"""F2: recall weighs four times as much as precision, as in studies of BigEarthNet."""

from __future__ import annotations

from featbank.metrics.metric import MACRO, MICRO, SAMPLES, WEIGHTED, Counts, MetricSpec, Values
from featbank.metrics.scoring.ratios import f_score


def f2(counts: Counts) -> Values:
    """Values (..., K) of 5 tp / (5 tp + 4 fn + fp); NaN for a class neither true nor predicted."""
    return f_score(counts, 2)


SPECS = (
    MetricSpec(
        name="f2",
        summary="5 tp / (5 tp + 4 fn + fp) of each class",
        function=f2,
        per_class=True,
        averages=(MACRO, MICRO, WEIGHTED, SAMPLES),
    ),
)
