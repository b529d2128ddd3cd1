"""Plain counts of each class: true and false positives and negatives."""

from __future__ import annotations

from featbank.metrics._ratios import hits, predictions, rejections, support
from featbank.metrics.metric import Counts, MetricSpec


def false_positives(counts: Counts) -> Counts:
    """Samples (..., K) predicted as a class that they are not of."""
    return predictions(counts) - hits(counts)


def false_negatives(counts: Counts) -> Counts:
    """Samples (..., K) of a class that are predicted as another."""
    return support(counts) - hits(counts)


SPECS = tuple(
    MetricSpec(name=name, summary=summary, function=function, per_class=True, has_interval=False)
    for name, summary, function in (
        ("tp", "samples of the class predicted as it", hits),
        ("fp", "samples of other classes predicted as it", false_positives),
        ("tn", "samples of other classes predicted as another", rejections),
        ("fn", "samples of the class predicted as another", false_negatives),
    )
)
