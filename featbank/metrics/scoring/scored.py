"""One metric of one set of predictions, and the rows that a metric's values make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.scoring.intervals import grouped_interval, independent_interval, jackknife

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array
    from featbank.metrics.metric import MetricSpec, Values
    from featbank.metrics.scoring.resampling import Units


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One metric of one set of predictions.

    Attributes:
        metric: Name in the metrics catalog; or ``temperature``, fitted on unseen samples, and
            ``ece_scaled``, the calibration error after it.
        value: The metric; NaN where undefined.
        low: Lower end of the 95 % interval; None where there is none: for counts and calibration
            errors, where the value is undefined, where nothing is resampled, and where fewer
            than five groups hold the class of the row, or any sample (without groups: samples,
            save for proportions); nor for the precision of a class that is never predicted.
        high: Upper end.
        class_index: Class that the row speaks of; None for an aggregate.
        average: ``macro`` for a mean over classes, ``micro`` for all decisions pooled,
            ``weighted`` for a mean by samples of the class, ``samples`` for a mean over samples,
            else None.
        n: Samples scored; in a row of one class, those of the class in truth, whatever the metric
            divides by. An absent class has 0.
        threshold: Name of the thresholds that made decisions of scores; ``all-positive`` and
            ``all-negative`` for decisions that no score changes; None where none did.
        by: What the samples of the row have in common, such as ``country``; None for all samples.
        by_value: Its value, such as ``Finland``.
    """

    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    class_index: int | None = None
    average: str | None = None
    n: int
    threshold: str | None = None
    by: str | None = None
    by_value: str | None = None


@dataclass(frozen=True, kw_only=True)
class Held:
    """What stands behind the rows of a panel.

    Attributes:
        n: N samples.
        units: U groups, or samples where none are declared.
        support: (K,) samples of each class in truth.
        class_units: (K,) units that hold each class in truth.
    """

    n: int
    units: int
    support: Array
    class_units: Array


def held_of(truth: Array, units: Units, *, n_classes: int) -> Held:
    """What stands behind the rows.

    Args:
        truth: (N,) class indices, or (N, K) 0 and 1.
        units: The N samples' groups, or samples.
        n_classes: K.
    """
    rows, classes = np.nonzero(truth) if truth.ndim == 2 else (slice(None), truth)
    support = np.bincount(classes, minlength=n_classes)
    class_units = support
    if units.count < len(truth):
        pairs = np.unique(units.codes[rows].astype(np.int64) * n_classes + classes)
        class_units = np.bincount(pairs % n_classes, minlength=n_classes)
    return Held(n=len(truth), units=units.count, support=support, class_units=class_units)


@dataclass(frozen=True, kw_only=True)
class Column:
    """What stands in one column of measured values.

    Attributes:
        spec: The metric.
        averages: Names of the leading aggregates.
        has_classes: Whether one value a class follows them.
        threshold: Name of the thresholds.
        trials: (M,) samples of each proportion; infinite where a value is none.
    """

    spec: MetricSpec
    averages: tuple[str | None, ...]
    has_classes: bool
    threshold: str | None = None
    trials: Values | None = None

    def rows(self, values: Values, left_out: Values | None, held: Held) -> Iterator[Scored]:
        """One row a value.

        Args:
            values: (M,) aggregates, then one value a class where there are such.
            left_out: (B, M) values without each part of the units; None without intervals.
            held: Samples and units behind each row.
        """
        low, high = (np.full(len(values), np.nan),) * 2
        if left_out is not None and self.spec.bounds is not None:
            low, high = self._interval(values, left_out, held, self.spec.bounds)
        for i, value in enumerate(values):
            class_index = i - len(self.averages) if i >= len(self.averages) else None
            yield Scored(
                metric=self.spec.name,
                value=float(value),
                low=_number(low[i]),
                high=_number(high[i]),
                class_index=class_index,
                average=self.averages[i] if class_index is None else None,
                n=int(held.n if class_index is None else held.support[class_index]),
                threshold=self.threshold,
            )

    def _interval(
        self, values: Values, left_out: Values, held: Held, bounds: tuple[float, float]
    ) -> tuple[Values, Values]:
        """Ends (M,) of the intervals, those of proportions of independent samples by n alone."""
        units = np.full(len(values), float(held.units))
        if self.has_classes and not self.spec.of_others:
            units[len(self.averages) :] = held.class_units
        low, high = grouped_interval(
            values,
            jackknife(values, left_out),
            units=units,
            bounds=bounds,
            trials=self.trials,
        )
        if self.trials is None or held.units < held.n:
            return low, high
        is_proportion = np.isfinite(self.trials)
        alone = independent_interval(values, np.where(is_proportion, self.trials, 1.0))
        return np.where(is_proportion, alone[0], low), np.where(is_proportion, alone[1], high)


def _number(end: float) -> float | None:
    return None if np.isnan(end) else float(end)
