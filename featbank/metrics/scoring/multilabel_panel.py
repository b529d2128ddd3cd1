"""The panel of several labels a sample: rankings, decisions by thresholds, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics import METRICS
from featbank.metrics.metric import MACRO, MICRO, SAMPLES, Counts, MetricSpec
from featbank.metrics.scoring.averages import Absent, macro, weighted
from featbank.metrics.scoring.calibration import are_probabilities, bins_of, pooled
from featbank.metrics.scoring.decisions import Decided, Decisions
from featbank.metrics.scoring.panel import Means, chosen, sample_losses
from featbank.metrics.scoring.ranking import rank
from featbank.metrics.scoring.resampling import on_all_cores
from featbank.metrics.scoring.scored import Column, held_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from featbank.image import Array
    from featbank.metrics.metric import Values
    from featbank.metrics.scoring.kernels import Times
    from featbank.metrics.scoring.resampling import Units

ALL_POSITIVE, ALL_NEGATIVE = "all-positive", "all-negative"
# What a decision that looks at no score reaches, where that says something.
_CONSTANT = {ALL_POSITIVE: ("f1", "f2"), ALL_NEGATIVE: ("hamming_loss",)}


class MultilabelPanel:
    """All metrics of several labels a sample; see ``Panel``.

    Args:
        truth: (N, K) 0 and 1.
        scores: (N, K) finite scores.
        thresholds: (K,) thresholds by name.
        units: What is resampled.
        absent: What macro averages make of labels without positives.
        metrics: The only metrics that are wanted; None wants all, and constant decisions.
    """

    def __init__(
        self,
        truth: Array,
        scores: Array,
        thresholds: Mapping[str, Array],
        units: Units,
        absent: Absent,
        metrics: Collection[str] | None = None,
    ) -> None:
        specs = [s for s in chosen(metrics) if s.multilabel and truth.shape[1] > s.more_than]
        self.units, self._absent = units, absent
        self.held = held_of(truth, units, n_classes=truth.shape[1])
        self._ranked = [spec for spec in specs if spec.takes == "ranking"]
        self._decided = [s for s in specs if s.takes == "counts" and s.has_interval]
        self._constants = _constants() if metrics is None else []
        # The longest ranking, of all labels pooled, comes first, so that no core waits for it.
        to_rank = ((truth, scores), *zip(truth.T, scores.T, strict=True)) if self._ranked else ()
        self._rankings = on_all_cores(lambda both: rank(*both, units.codes), to_rank)
        self._decisions = Decisions(truth, scores, thresholds, units)
        is_calibrated = are_probabilities(scores, exclusive=False)
        losses = [s for s in specs if s.takes == "losses" and is_calibrated]
        self._means = Means(sample_losses(losses, truth, scores, exclusive=False), units)
        n, _ = self._means.measure(units.once)
        decided = self._decisions.measure(units.once, n)[1]
        self.resampled = [
            *(_column(spec) for spec in self._ranked),
            *(_column(s, name, decided[name].counts) for name in thresholds for s in self._decided),
            *(_constant_column(spec, name) for spec, name in self._constants),
            *(_column(spec) for spec in losses),
        ]
        self.fixed = _counts(
            [s for s in specs if s.takes == "counts" and not s.has_interval], decided
        )
        if is_calibrated:
            self.fixed += _calibration([s for s in specs if s.takes == "bins"], truth, scores)

    def measure(self, times: Times) -> list[Values]:
        """Values (b, M) of each column for counts (U, b) of the units."""
        n, losses = self._means.measure(times)
        support, decided = self._decisions.measure(times, n)
        return [
            *(self._ranking(spec, support, times) for spec in self._ranked),
            *(self._measured(spec, each) for each in decided.values() for spec in self._decided),
            *(self._constant(spec, name, support, n) for spec, name in self._constants),
            *losses.T[:, :, None],
        ]

    def _ranking(self, spec: MetricSpec, support: Values, times: Times) -> Values:
        all_labels, *each = (spec.function(ranking, times) for ranking in self._rankings)
        values = np.stack(each, axis=-1)
        aggregates = [
            all_labels if name == MICRO else self._mean(name, values, support)
            for name in spec.averages
        ]
        return np.concatenate([np.stack(aggregates, axis=-1), values], axis=-1)

    def _measured(self, spec: MetricSpec, decided: Decided) -> Values:
        values, counts = spec.function(decided.counts), decided.counts
        if not spec.per_class:
            return values[:, None]
        aggregates = [
            decided.mean_of_samples(spec) if name == SAMPLES else self._average(spec, name, counts)
            for name in spec.averages
        ]
        return np.concatenate([np.stack(aggregates, axis=-1), values], axis=-1)

    def _constant(self, spec: MetricSpec, name: str, support: Values, n: Values) -> Values:
        rest, none = n[:, None] - support, np.zeros_like(support)
        is_yes = name == ALL_POSITIVE
        counts = (
            Counts(tp=support, fp=rest, fn=none, tn=none)
            if is_yes
            else Counts(tp=none, fp=none, fn=support, tn=rest)
        )
        if not spec.per_class:
            return spec.function(counts)[:, None]
        return np.stack([self._average(spec, each, counts) for each in (MACRO, MICRO)], axis=-1)

    def _average(self, spec: MetricSpec, name: str, counts: Counts) -> Values:
        if name == MICRO:
            pooled_value: Values = spec.function(counts.pooled())[:, 0]
            return pooled_value
        return self._mean(name, spec.function(counts), counts.support)

    def _mean(self, name: str, values: Values, support: Values) -> Values:
        if name == MACRO:
            return macro(values, support, absent=self._absent)
        return weighted(values, support)


def _column(spec: MetricSpec, threshold: str | None = None, counts: Counts | None = None) -> Column:
    averages = spec.averages if spec.per_class else (None,)
    trials = None
    if counts is not None and spec.trials is not None and spec.per_class:
        # Averages are no proportions: decisions on the same sample depend on one another.
        trials = np.concatenate([np.full(len(averages), np.inf), spec.trials(counts)[0]])
    return Column(
        spec=spec,
        averages=averages,
        has_classes=spec.per_class,
        threshold=threshold,
        trials=trials,
    )


def _constants() -> list[tuple[MetricSpec, str]]:
    return [(METRICS[metric], name) for name, metrics in _CONSTANT.items() for metric in metrics]


def _constant_column(spec: MetricSpec, threshold: str) -> Column:
    averages = (MACRO, MICRO) if spec.per_class else (None,)
    return Column(spec=spec, averages=averages, has_classes=False, threshold=threshold)


def _counts(specs: list[MetricSpec], decided: Mapping[str, Decided]) -> list[tuple[Column, Values]]:
    return [
        (
            Column(spec=spec, averages=(), has_classes=True, threshold=name),
            spec.function(each.counts)[0],
        )
        for name, each in decided.items()
        for spec in specs
    ]


def _calibration(
    specs: list[MetricSpec], truth: Array, scores: Array
) -> list[tuple[Column, Values]]:
    """Labels without positives have calibration errors too, so macro is the plain mean."""
    bins = bins_of(truth, scores)
    together = pooled(bins)
    found = []
    for spec in specs:
        values = spec.function(bins)
        aggregates = [values.mean(), spec.function(together)]
        found.append((_column(spec), np.concatenate([aggregates, values])))
    return found
