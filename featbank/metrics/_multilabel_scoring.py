"""Score probabilities of several labels a sample by every metric, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ProbeError
from featbank.metrics import METRICS
from featbank.metrics._ranking import Ranking, rank
from featbank.metrics._ratios import kept_mean
from featbank.metrics._resampling import resampled_weights
from featbank.metrics._scored import Measured, Scored, measure
from featbank.metrics.metric import MACRO, Counts, MetricSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from featbank.image import Array
    from featbank.metrics.metric import Values


def score_multilabel(
    truth: Array,
    scores: Array,
    *,
    thresholds: Mapping[str, Array],
    groups: Array | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Scored]:
    """Every multilabel metric: rankings first, then decisions by each set of thresholds.

    Macro averages leave out labels without a positive, in each resample too; scikit-learn's count
    them as 0. All metrics of one resample see the same samples.

    Args:
        truth: (N, K) 0 and 1.
        scores: (N, K) finite scores.
        thresholds: (K,) thresholds by name; a score at or above is a yes.
        groups: (N,) group of each sample; intervals then resample groups, else samples.
        resamples: Bootstrap resamples; 0 gives no intervals.
        seed: Seed of the bootstrap.

    Raises:
        ProbeError: Truth is not 0 and 1, scores are not finite, or the shapes differ.
    """
    _check(truth, scores)
    panel = _Panel(truth, scores, thresholds)
    support = truth.sum(axis=0, dtype=np.int64)
    units = len(truth) if groups is None else len(np.unique(groups))
    weights = resampled_weights(len(truth), groups=groups, resamples=resamples, seed=seed)
    rows: list[Scored] = []
    for measured in panel.measured(weights if units > 1 else iter(())):
        rows += measured.rows(support, len(truth))
    return rows


def mean_average_precision(truth: Array, scores: Array) -> float:
    """Macro average precision over the labels that have positives; NaN where none has.

    Args:
        truth: (N, K) 0 and 1.
        scores: (N, K) finite scores.

    Raises:
        ProbeError: As ``score_multilabel``.
    """
    _check(truth, scores)
    weights = np.ones((1, len(truth)))
    rankings = [rank(t, s) for t, s in zip(truth.T, scores.T, strict=True)]
    values = np.array([_along(METRICS["map"], each, weights)[0] for each in rankings])
    return float(kept_mean(values, ~np.isnan(values)))


class _Panel:
    """All metrics of one set of predictions, for any weights of the samples.

    Attributes:
        columns: Metric and name of thresholds of each entry that ``_measure`` gives.
    """

    def __init__(self, truth: Array, scores: Array, thresholds: Mapping[str, Array]) -> None:
        specs = [spec for spec in METRICS.values() if spec.multilabel]
        self._ranked = [spec for spec in specs if spec.ranking]
        self._decided = [spec for spec in specs if not spec.ranking]
        self._by_label = [rank(t, s) for t, s in zip(truth.T, scores.T, strict=True)]
        self._pooled = rank(truth, scores)
        self._truth = truth.astype(bool)
        self._predicted = {name: scores >= limits for name, limits in thresholds.items()}
        self.columns: list[tuple[MetricSpec, str | None]] = [
            *((spec, None) for spec in self._ranked),
            *((spec, name) for name in thresholds for spec in self._decided),
        ]

    def measured(self, draws: Iterator[Values]) -> Iterator[Measured]:
        """Each metric with its values on all samples and on each resample drawn."""
        values = self._measure(np.ones((1, len(self._truth))))
        replicates: list[list[Values]] = [[] for _ in values]
        for weights in draws:
            for kept, drawn in zip(replicates, self._measure(weights), strict=True):
                kept.append(drawn)
        for (spec, threshold), value, drawn_values in zip(
            self.columns, values, replicates, strict=True
        ):
            has_interval = spec.has_interval and drawn_values
            yield Measured(
                spec=spec,
                averages=_averages(spec),
                values=value[0],
                replicates=np.concatenate(drawn_values) if has_interval else None,
                threshold=threshold,
            )

    def _measure(self, weights: Values) -> list[Values]:
        """Values (b, M) of each column for weights (b, N)."""
        counts = [self._counts(weights, predicted) for predicted in self._predicted.values()]
        return [
            *(self._ranking(spec, weights) for spec in self._ranked),
            *(measure(spec, each, _averages(spec)) for each in counts for spec in self._decided),
        ]

    def _ranking(self, spec: MetricSpec, weights: Values) -> Values:
        values = np.stack([_along(spec, each, weights) for each in self._by_label], axis=-1)
        aggregates = [
            kept_mean(values, ~np.isnan(values))
            if name == MACRO
            else _along(spec, self._pooled, weights)
            for name in spec.averages
        ]
        return np.concatenate([np.stack(aggregates, axis=-1), values], axis=-1)

    def _counts(self, weights: Values, predicted: Array) -> Counts:
        tp = weights @ (self._truth & predicted).astype(np.float64)
        fn = weights @ self._truth.astype(np.float64) - tp
        fp = weights @ predicted.astype(np.float64) - tp
        return Counts(tp=tp, fp=fp, fn=fn, tn=weights.sum(axis=1)[:, None] - tp - fp - fn)


def _along(spec: MetricSpec, ranking: Ranking, weights: Values) -> Values:
    """One value (b,) a resample of a ranking metric."""
    return np.concatenate([spec.function(curve) for curve in ranking.curves(weights)])


def _averages(spec: MetricSpec) -> tuple[str | None, ...]:
    return spec.averages if spec.per_class else spec.averages or (None,)


def _check(truth: Array, scores: Array) -> None:
    if truth.shape != scores.shape or truth.ndim != 2:
        raise ProbeError(
            "scores",
            f"their shape is {scores.shape}",
            f"{truth.shape}, one score a label and sample as in truth",
            "Score predictions of the same samples.",
        )
    if not np.isin(truth, (0, 1)).all():
        raise ProbeError(
            "truth", "it holds numbers other than 0 and 1", "0 and 1", "Leave out unlabelled rows."
        )
    if not np.isfinite(scores).all():
        raise ProbeError(
            "scores", "some are NaN or infinite", "finite scores", "Fit the probe again."
        )
