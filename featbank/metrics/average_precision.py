"""Average precision: how well scores rank the samples of a class before all others."""

from __future__ import annotations

import numpy as np

from featbank.metrics._ratios import ratio
from featbank.metrics.metric import MACRO, MICRO, Curve, MetricSpec, Values


def average_precision(curve: Curve) -> Values:
    """Precision (...) at each threshold, weighted by the share of positives that it adds.

    Samples of equal score share one threshold, and nothing is interpolated, as in scikit-learn.
    NaN without positives.

    References:
        Manning, Raghavan and Schütze 2008, Introduction to Information Retrieval, 8.4.
    """
    if not curve.tp.shape[-1]:
        return np.full(curve.tp.shape[:-1], np.nan)
    added = np.diff(curve.tp, axis=-1, prepend=0.0)
    # A resample may hold nothing above a threshold, where nothing is added either.
    precision = np.nan_to_num(ratio(curve.tp, curve.tp + curve.fp))
    return ratio((added * precision).sum(axis=-1), curve.tp[..., -1])


SPECS = (
    MetricSpec(
        name="map",
        summary="average precision: the sum of precision times added recall down the ranking",
        function=average_precision,
        per_class=True,
        averages=(MACRO, MICRO),
        ranking=True,
        single_label=False,
    ),
)
