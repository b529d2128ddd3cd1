"""Accuracy: the share of samples predicted right."""

from __future__ import annotations

from operator import attrgetter

from featbank.metrics.metric import Counts, MetricSpec, Values
from featbank.metrics.scoring.ratios import ratio


def accuracy(counts: Counts) -> Values:
    """Share (...) of samples predicted as their one class; NaN without samples."""
    return ratio(counts.tp.sum(axis=-1), counts.samples)


SPECS = (
    MetricSpec(
        name="accuracy",
        summary="samples predicted right / N",
        function=accuracy,
        trials=attrgetter("samples"),
        multilabel=False,
    ),
)
