"""Balanced accuracy: every class that is present weighs the same."""

from __future__ import annotations

from featbank.metrics.metric import MACRO, Counts, MetricSpec, Values
from featbank.metrics.recall import recall
from featbank.metrics.scoring.ratios import present_mean


def balanced_accuracy(counts: Counts) -> Values:
    """Mean recall (...) over classes present in truth; NaN without samples."""
    return present_mean(recall(counts), counts)


SPECS = (
    MetricSpec(
        name="balanced_accuracy",
        summary="mean recall over the classes that are present",
        function=balanced_accuracy,
        averages=(MACRO,),
        multilabel=False,
    ),
)
