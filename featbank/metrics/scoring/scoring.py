"""Score probabilities of one class a sample by every metric, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ProbeError
from featbank.metrics.metric import MACRO, WEIGHTED, Counts, MetricSpec
from featbank.metrics.scoring.averages import LEFT_OUT, Absent, macro, weighted
from featbank.metrics.scoring.calibration import are_probabilities, bins_of
from featbank.metrics.scoring.confusion import class_counts, confusion_cells, confusion_matrix
from featbank.metrics.scoring.kernels import sum_by_bin
from featbank.metrics.scoring.panel import Means, chosen, panel_rows, sample_losses
from featbank.metrics.scoring.resampling import PLAIN, Resampling
from featbank.metrics.scoring.scored import Column, Scored, held_of
from featbank.metrics.scoring.subgroups import with_subgroups

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from featbank.image import Array
    from featbank.metrics.metric import Values
    from featbank.metrics.scoring.kernels import Times
    from featbank.metrics.scoring.resampling import Units


def score(
    truth: Array,
    scores: Array,
    *,
    resampling: Resampling = PLAIN,
    absent: Absent = LEFT_OUT,
    by: Mapping[str, Array] | None = None,
) -> list[Scored]:
    """Every single-label metric: aggregates before classes, absent classes included.

    The class of greatest score is the prediction, the first of equals. Micro averages are left
    out, and those over samples: of one class a sample they equal accuracy, and micro specificity
    follows from it. Calibration and losses are left out where scores are not probabilities. All
    metrics of one resample see the same samples.

    Args:
        truth: (N,) class indices in [0, K).
        scores: (N, K) finite scores.
        resampling: How intervals are made.
        absent: Whether macro averages leave out classes without a sample in truth, or count them
            as zero; in each resample too.
        by: (N,) values by name, such as each sample's country: the main metrics of the samples
            of each value follow those of all samples.

    Raises:
        ProbeError: A class index is out of range, scores are not finite, or lengths differ.
    """
    require_finite(scores, (len(truth), scores.shape[-1]))

    def rows_of(kept: Array) -> list[Scored]:
        of_kept = resampling.of(kept)
        units = of_kept.units(len(kept))
        return panel_rows(SinglePanel(truth[kept], scores[kept], units, absent), of_kept)

    return with_subgroups(rows_of, len(truth), by)


def require_finite(scores: Array, shape: tuple[int, ...]) -> None:
    """Refuse scores that cannot be ranked.

    Raises:
        ProbeError: They are not finite, or of another shape.
    """
    if scores.shape != shape:
        raise ProbeError(
            "scores",
            f"their shape is {scores.shape}",
            f"{shape}, one score a class and sample of truth",
            "Score predictions of the same samples.",
        )
    if not np.isfinite(scores).all():
        raise ProbeError(
            "scores", "some are NaN or infinite", "finite scores", "Fit the probe again."
        )


class SinglePanel:
    """All metrics of one class a sample; see ``Panel``.

    Args:
        truth: (N,) class indices.
        scores: (N, K) finite scores.
        units: What is resampled.
        absent: What macro averages make of classes without samples.
        metrics: The only metrics that are wanted; None wants all.
    """

    def __init__(
        self,
        truth: Array,
        scores: Array,
        units: Units,
        absent: Absent,
        metrics: Collection[str] | None = None,
    ) -> None:
        k, predicted = scores.shape[1], scores.argmax(axis=1)
        confusion_cells(truth, predicted, n_classes=k)
        self.units, self._absent, self._k = units, absent, k
        self.held = held_of(truth, units, n_classes=k)
        self._bins = [truth.astype(np.int32), predicted.astype(np.int32), _positions(truth, scores)]
        self._right = np.flatnonzero(predicted == truth)
        specs = [s for s in chosen(metrics) if s.single_label and k > s.more_than]
        is_calibrated = are_probabilities(scores, exclusive=True)
        losses = [s for s in specs if s.takes == "losses" and is_calibrated]
        onehot = (np.arange(k) == truth[:, None]).astype(np.int8)
        self._means = Means(sample_losses(losses, onehot, scores, exclusive=True), units)
        self._counted = [s for s in specs if s.takes == "counts" and s.has_interval]
        self._positioned = [s for s in specs if s.takes == "positions"]
        confusion = confusion_matrix(truth, predicted, n_classes=k)
        counts, before = class_counts(confusion), np.bincount(self._bins[2], minlength=k)
        self.resampled = [
            *(_column(s, s.trials and s.trials(counts)) for s in self._counted),
            *(_one_value(s, s.trials and s.trials(before)) for s in self._positioned),
            *(_one_value(s) for s in losses),
        ]
        self.fixed = _counts(specs, confusion)
        if is_calibrated:
            self.fixed += _calibration(specs, truth, scores)

    def measure(self, times: Times) -> list[Values]:
        """Values (b, M) of each column for counts (U, b) of the units."""
        rows, (truth, predicted, positions) = self.units.codes, self._bins
        n, losses = self._means.measure(times)
        support, guessed, before = (
            sum_by_bin(rows, bins, times, self._k).T.astype(np.float64)
            for bins in (truth, predicted, positions)
        )
        right = self._right
        tp = sum_by_bin(rows[right], truth[right], times, self._k).T.astype(np.float64)
        counts = Counts(
            tp=tp, fp=guessed - tp, fn=support - tp, tn=n[:, None] - support - guessed + tp
        )
        return [
            *(_measured(spec, counts, self._absent) for spec in self._counted),
            *(spec.function(before)[:, None] for spec in self._positioned),
            *losses.T[:, :, None],
        ]


def _positions(truth: Array, scores: Array) -> Array:
    """How many classes (N,) stand before the true one; of equals the first stands first."""
    own = scores[np.arange(len(truth)), truth][:, None]
    is_before = (scores == own) & (np.arange(scores.shape[1]) < truth[:, None])
    return np.asarray(((scores > own) | is_before).sum(axis=1, dtype=np.int32))


def _measured(spec: MetricSpec, counts: Counts, absent: Absent) -> Values:
    values = spec.function(counts)
    if not spec.per_class:
        return values[:, None]
    averages = {
        MACRO: lambda: macro(values, counts.support, absent=absent),
        WEIGHTED: lambda: weighted(values, counts.support),
    }
    aggregates = [averages[name]()[:, None] for name in _averages(spec) if name is not None]
    return np.concatenate([*aggregates, values], axis=1)


def _column(spec: MetricSpec, trials: Values | None) -> Column:
    averages = _averages(spec)
    if spec.per_class and trials is not None:
        trials = np.concatenate([np.full(len(averages), np.inf), trials])
    return Column(
        spec=spec,
        averages=averages,
        has_classes=spec.per_class,
        trials=None if trials is None else np.atleast_1d(trials),
    )


def _one_value(spec: MetricSpec, trials: Values | None = None) -> Column:
    found = None if trials is None else np.atleast_1d(trials).astype(np.float64)
    return Column(spec=spec, averages=(None,), has_classes=False, trials=found)


def _averages(spec: MetricSpec) -> tuple[str | None, ...]:
    if not spec.per_class:
        return spec.averages or (None,)
    return tuple(name for name in spec.averages if name in (MACRO, WEIGHTED))


def _counts(specs: list[MetricSpec], confusion: Values) -> list[tuple[Column, Values]]:
    counts = class_counts(confusion)
    return [
        (Column(spec=spec, averages=(), has_classes=True), spec.function(counts))
        for spec in specs
        if spec.takes == "counts" and not spec.has_interval
    ]


def _calibration(
    specs: list[MetricSpec], truth: Array, scores: Array
) -> list[tuple[Column, Values]]:
    bins = bins_of(truth, scores)
    return [
        (Column(spec=spec, averages=(None,), has_classes=False), spec.function(bins))
        for spec in specs
        if spec.takes == "bins"
    ]
