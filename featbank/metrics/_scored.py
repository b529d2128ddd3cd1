"""One metric of one set of predictions, and the rows that a metric's values make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics._bootstrap import interval
from featbank.metrics._ratios import present_mean
from featbank.metrics.metric import MACRO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array
    from featbank.metrics.metric import Counts, MetricSpec, Values


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One metric of one set of predictions.

    Attributes:
        metric: Name in the metrics catalog.
        value: The metric; NaN where undefined.
        low: Lower end of the 95 % percentile interval; None where there is none: for counts,
            where every resample is undefined, and with fewer than two groups or samples to draw.
        high: Upper end.
        class_index: Class that the row speaks of; None for an aggregate.
        average: ``macro`` for a mean over the classes that are present, ``micro`` for all
            decisions pooled, else None.
        n: Samples scored; in a row of one class, those of the class in truth, whatever the metric
            divides by. An absent class has 0.
        threshold: Name of the thresholds that made decisions of scores; None where none did.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    class_index: int | None
    average: str | None
    n: int
    threshold: str | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A metric's values, aggregates before classes, with those of each resample.

    Attributes:
        spec: The metric.
        averages: Names of the leading aggregates.
        values: (M,) aggregates, then one value a class where the metric has them.
        replicates: (R, M) values of each resample; None without intervals.
        threshold: Name of the thresholds.
    """

    spec: MetricSpec
    averages: tuple[str | None, ...]
    values: Values
    replicates: Values | None
    threshold: str | None = None

    def rows(self, support: Array, n: int) -> Iterator[Scored]:
        """One row a value.

        Args:
            support: (K,) samples of each class in truth.
            n: Samples in all.
        """
        low, high = (np.full(len(self.values), np.nan),) * 2
        if self.replicates is not None:
            low, high = interval(self.replicates)
        for i, value in enumerate(self.values):
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


def measure(spec: MetricSpec, counts: Counts, averages: tuple[str | None, ...]) -> Values:
    """Values (..., M) of counts (..., K): the aggregates named, then the classes if any."""
    values = spec.function(counts)
    if not spec.per_class:
        return values[..., None]
    aggregates = [
        present_mean(values, counts)[..., None] if name == MACRO else spec.function(counts.pooled())
        for name in averages
    ]
    return np.concatenate([*aggregates, values], axis=-1)


def _number(end: float) -> float | None:
    return None if np.isnan(end) else float(end)
