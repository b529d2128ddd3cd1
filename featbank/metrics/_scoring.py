"""Score one set of predictions by every metric, with intervals from one bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics import METRICS
from featbank.metrics._bootstrap import bootstrap_confusions, interval
from featbank.metrics._confusion import confusion_matrix
from featbank.metrics._ratios import present_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from featbank.image import Array
    from featbank.metrics.metric import Counts, MetricSpec


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
        average: ``macro`` for a mean over the classes that are present, else None.
        n: Samples scored; in a row of one class, those of the class in truth, whatever the metric
            divides by. An absent class has 0.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    class_index: int | None
    average: str | None
    n: int


def score(
    truth: Array,
    predicted: Array,
    *,
    n_classes: int,
    groups: Array | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Scored]:
    """Every metric of the catalog: aggregates before classes, absent classes included.

    Args:
        truth: (N,) class indices in [0, K).
        predicted: (N,) class indices in [0, K).
        n_classes: K.
        groups: (N,) group of each sample; intervals then resample groups, else samples.
        resamples: Bootstrap resamples; 0 gives no intervals.
        seed: Seed of the bootstrap.

    Raises:
        ProbeError: A class index is out of range, or the lengths differ.
    """
    counts = confusion_matrix(truth, predicted, n_classes=n_classes)
    units = len(truth) if groups is None else len(np.unique(groups))
    blocks = bootstrap_confusions(
        truth,
        predicted,
        n_classes=n_classes,
        groups=groups,
        resamples=resamples if units > 1 else 0,
        seed=seed,
    )
    limits = _limits(blocks)
    return [row for spec in METRICS.values() for row in _rows(spec, counts, limits.get(spec.name))]


def _limits(blocks: Iterable[Counts]) -> dict[str, tuple[Array, Array]]:
    """Interval ends (M,) of each metric that has one, M as ``_measure`` gives them."""
    replicates: dict[str, list[Array]] = {}
    for block in blocks:
        for spec in METRICS.values():
            if spec.has_interval:
                replicates.setdefault(spec.name, []).append(_measure(spec, block))
    return {name: interval(np.concatenate(values)) for name, values in replicates.items()}


def _rows(spec: MetricSpec, counts: Counts, limits: tuple[Array, Array] | None) -> Iterator[Scored]:
    values = _measure(spec, counts)
    low, high = limits or (np.full(len(values), np.nan),) * 2
    for i, (class_index, average) in enumerate(_places(spec, len(counts))):
        yield Scored(
            metric=spec.name,
            value=float(values[i]),
            low=_number(low[i]),
            high=_number(high[i]),
            class_index=class_index,
            average=average,
            n=int(counts.sum() if class_index is None else counts[class_index].sum()),
        )


def _measure(spec: MetricSpec, counts: Counts) -> Array:
    """Values (..., M) of confusion matrices (..., K, K): the aggregate if any, then the classes."""
    values = spec.function(counts)
    if not spec.per_class:
        return values[..., None]
    if spec.average is None:
        return values
    return np.concatenate([present_mean(values, counts)[..., None], values], axis=-1)


def _places(spec: MetricSpec, n_classes: int) -> list[tuple[int | None, str | None]]:
    """Class index and average of each of the M values of ``_measure``."""
    has_aggregate = spec.average is not None or not spec.per_class
    aggregate: list[tuple[int | None, str | None]] = [(None, spec.average)] if has_aggregate else []
    return aggregate + [(i, None) for i in range(n_classes)] if spec.per_class else aggregate


def _number(end: float) -> float | None:
    return None if np.isnan(end) else float(end)
