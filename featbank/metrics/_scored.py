"""One metric of one set of predictions, and the rows that a metric's values make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics._resampling import interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array
    from featbank.metrics.metric import MetricSpec, Values


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One metric of one set of predictions.

    Attributes:
        metric: Name in the metrics catalog; or ``temperature``, fitted on validation, and
            ``ece_scaled``, the calibration error after it.
        value: The metric; NaN where undefined.
        low: Lower end of the 95 % percentile interval; None where there is none: for counts and
            calibration errors, where every resample is undefined, and with fewer than two groups
            or samples to draw.
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
class Column:
    """What stands in one column of measured values.

    Attributes:
        spec: The metric.
        averages: Names of the leading aggregates.
        has_classes: Whether one value a class follows them.
        threshold: Name of the thresholds.
    """

    spec: MetricSpec
    averages: tuple[str | None, ...]
    has_classes: bool
    threshold: str | None = None

    def rows(
        self, values: Values, replicates: Values | None, *, support: Array, n: int
    ) -> Iterator[Scored]:
        """One row a value.

        Args:
            values: (M,) aggregates, then one value a class where there are such.
            replicates: (R, M) values of each resample; None without intervals.
            support: (K,) samples of each class in truth.
            n: Samples in all.
        """
        low, high = (np.full(len(values), np.nan),) * 2
        if replicates is not None:
            low, high = interval(replicates)
        for i, value in enumerate(values):
            class_index = i - len(self.averages) if i >= len(self.averages) else None
            yield Scored(
                metric=self.spec.name,
                value=float(value),
                low=_number(low[i]),
                high=_number(high[i]),
                class_index=class_index,
                average=self.averages[i] if class_index is None else None,
                n=int(n if class_index is None else support[class_index]),
                threshold=self.threshold,
            )


def _number(end: float) -> float | None:
    return None if np.isnan(end) else float(end)
