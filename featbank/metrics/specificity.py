"""Specificity: the share of the other classes' samples that are kept out of a class."""

from __future__ import annotations

from featbank.metrics.metric import MACRO, MICRO, Counts, MetricSpec, Values
from featbank.metrics.scoring.ratios import ratio


def specificity(counts: Counts) -> Values:
    """Values (..., K) of tn / (tn + fp); NaN where every sample is of the class."""
    return ratio(counts.tn, counts.tn + counts.fp)


def _negatives(counts: Counts) -> Values:
    return counts.tn + counts.fp


SPECS = (
    MetricSpec(
        name="specificity",
        summary="tn / (tn + fp) of each class",
        function=specificity,
        trials=_negatives,
        of_others=True,
        per_class=True,
        averages=(MACRO, MICRO),
    ),
)
