"""F1: the harmonic mean of precision and recall."""

from __future__ import annotations

from featbank.metrics._ratios import hits, predictions, ratio, support
from featbank.metrics.metric import Counts, MetricSpec


def f1(counts: Counts) -> Counts:
    """Values (..., K) of 2 tp / (2 tp + fp + fn); NaN for a class neither present nor predicted."""
    return ratio(2 * hits(counts), support(counts) + predictions(counts))


SPECS = (
    MetricSpec(
        name="f1",
        summary="2 tp / (2 tp + fp + fn) of each class",
        function=f1,
        per_class=True,
        average="macro",
    ),
)
