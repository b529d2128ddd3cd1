"""Specificity: the share of the other classes' samples that are kept out of a class."""

from __future__ import annotations

from featbank.metrics._ratios import ratio, rejections, support
from featbank.metrics.metric import Counts, MetricSpec


def specificity(counts: Counts) -> Counts:
    """Values (..., K) of tn / (tn + fp); NaN where every sample is of the class."""
    negatives = support(counts).sum(axis=-1, keepdims=True) - support(counts)
    return ratio(rejections(counts), negatives)


SPECS = (
    MetricSpec(
        name="specificity",
        summary="tn / (tn + fp) of each class",
        function=specificity,
        per_class=True,
        average="macro",
    ),
)
