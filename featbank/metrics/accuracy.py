"""Accuracy: the share of samples predicted right."""

from __future__ import annotations

from featbank.metrics._ratios import hits, ratio
from featbank.metrics.metric import Counts, MetricSpec


def accuracy(counts: Counts) -> Counts:
    """Share (...) of samples on the diagonal of (..., K, K); NaN without samples."""
    return ratio(hits(counts).sum(axis=-1), counts.sum(axis=(-2, -1)))


SPECS = (MetricSpec(name="accuracy", summary="samples predicted right / N", function=accuracy),)
