"""Cohen's kappa: agreement above what chance gives predictions of the same frequencies."""

from __future__ import annotations

from featbank.metrics.metric import Counts, MetricSpec, Values
from featbank.metrics.scoring.ratios import ratio


def kappa(counts: Counts) -> Values:
    """Values (...) of (p - e) / (1 - e), p the accuracy and e what chance gives; at most 1.

    NaN without samples, and where truth and prediction hold one and the same class alone.

    References:
        Cohen 1960, doi:10.1177/001316446002000104.
    """
    samples = counts.samples
    chance = ratio((counts.support * counts.predicted).sum(axis=-1), samples**2)
    right = ratio(counts.tp.sum(axis=-1), samples)
    return ratio(right - chance, 1 - chance)


SPECS = (
    MetricSpec(
        name="kappa",
        summary="(accuracy - chance) / (1 - chance), chance from both frequencies of classes",
        function=kappa,
        bounds=(-1.0, 1.0),
        multilabel=False,
    ),
)
