"""Average precision: how well scores rank the samples of a class before all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.metrics.metric import MACRO, MICRO, WEIGHTED, MetricSpec, Values
from featbank.metrics.scoring.kernels import precision_sums
from featbank.metrics.scoring.ratios import ratio

if TYPE_CHECKING:
    from featbank.metrics.scoring.kernels import Times
    from featbank.metrics.scoring.ranking import Ranking


def average_precision(ranking: Ranking, times: Times) -> Values:
    """Precision (B,) at each threshold, weighted by the share of positives that it adds.

    Samples of equal score share one threshold, and nothing is interpolated, as in scikit-learn.
    NaN without positives.

    References:
        Manning, Raghavan and Schütze 2008, Introduction to Information Retrieval, 8.4.
    """
    positives = ranking.positives, ranking.positive_ends
    return ratio(*precision_sums(ranking.rows, ranking.ends, *positives, times))


SPECS = (
    MetricSpec(
        name="map",
        summary="average precision: the sum of precision times added recall down the ranking",
        function=average_precision,
        takes="ranking",
        per_class=True,
        averages=(MACRO, MICRO, WEIGHTED),
        single_label=False,
    ),
)
