"""Recall: the share of a class that is found."""

from __future__ import annotations

from featbank.metrics._ratios import hits, ratio, support
from featbank.metrics.metric import Counts, MetricSpec


def recall(counts: Counts) -> Counts:
    """Values (..., K) of tp / (tp + fn); NaN for a class without samples in truth."""
    return ratio(hits(counts), support(counts))


SPECS = (
    MetricSpec(
        name="recall",
        summary="tp / (tp + fn) of each class",
        function=recall,
        per_class=True,
        average="macro",
    ),
)
