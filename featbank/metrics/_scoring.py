"""Score predictions of one class a sample by every metric, with intervals from one bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics import METRICS
from featbank.metrics._bootstrap import bootstrap_confusions
from featbank.metrics._confusion import class_counts, confusion_matrix
from featbank.metrics._scored import Measured, Scored, measure
from featbank.metrics.metric import MACRO

if TYPE_CHECKING:
    from featbank.image import Array
    from featbank.metrics.metric import MetricSpec


def score(
    truth: Array,
    predicted: Array,
    *,
    n_classes: int,
    groups: Array | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Scored]:
    """Every single-label metric: aggregates before classes, absent classes included.

    Micro averages are left out: of one class a sample they all equal accuracy.

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
    counts = class_counts(confusion_matrix(truth, predicted, n_classes=n_classes))
    units = len(truth) if groups is None else len(np.unique(groups))
    blocks = bootstrap_confusions(
        truth,
        predicted,
        n_classes=n_classes,
        groups=groups,
        resamples=resamples if units > 1 else 0,
        seed=seed,
    )
    specs = [spec for spec in METRICS.values() if spec.single_label]
    drawn: dict[str, list[Array]] = {spec.name: [] for spec in specs if spec.has_interval}
    for block in map(class_counts, blocks):
        for name, values in drawn.items():
            values.append(measure(METRICS[name], block, _averages(METRICS[name])))
    measured = (
        Measured(
            spec=spec,
            averages=_averages(spec),
            values=measure(spec, counts, _averages(spec)),
            replicates=np.concatenate(drawn[spec.name]) if drawn.get(spec.name) else None,
        )
        for spec in specs
    )
    return [row for each in measured for row in each.rows(counts.support, len(truth))]


def _averages(spec: MetricSpec) -> tuple[str | None, ...]:
    if not spec.per_class:
        return spec.averages or (None,)
    return (MACRO,) if MACRO in spec.averages else ()
