"""A panel: all metrics of one set of predictions, on the samples and on resamples of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from featbank.metrics import METRICS
from featbank.metrics.scoring.kernels import weighted_sums
from featbank.metrics.scoring.ratios import ratio
from featbank.metrics.scoring.resampling import each_left_out

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from featbank.image import Array
    from featbank.metrics.metric import MetricSpec, Values
    from featbank.metrics.scoring.kernels import Times
    from featbank.metrics.scoring.resampling import Resampling, Units
    from featbank.metrics.scoring.scored import Column, Held, Scored


class Panel(Protocol):
    """All metrics of one set of predictions.

    Attributes:
        units: What is left out, or resampled.
        held: Samples and units behind each row.
        resampled: Columns that ``measure`` gives.
        fixed: Columns without intervals, with their values.
    """

    units: Units
    held: Held
    resampled: list[Column]
    fixed: list[tuple[Column, Values]]

    def measure(self, times: Times) -> list[Values]:
        """Values (b, M) of each column for counts (U, b) of the units."""
        ...


def panel_rows(panel: Panel, resampling: Resampling) -> list[Scored]:
    """Every value of a panel, with intervals where there are two units or more to leave out."""
    units = panel.units.count
    values = panel.measure(panel.units.once)
    replicates: list[Values] | list[None] = [None] * len(values)
    if min(units, resampling.resamples) > 1:
        blocks = each_left_out(panel.measure, units, resampling)
        replicates = [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
    rows: list[Scored] = []
    for column, value, left_out in zip(panel.resampled, values, replicates, strict=True):
        rows += column.rows(value[0], left_out, panel.held)
    for column, value in panel.fixed:
        rows += column.rows(value, None, panel.held)
    return rows


def chosen(metrics: Collection[str] | None) -> list[MetricSpec]:
    """The metrics of these names, or all."""
    return [spec for name, spec in METRICS.items() if metrics is None or name in metrics]


class Means:
    """Means over samples of numbers that each sample has.

    Args:
        columns: (N, C) finite numbers.
        units: What is resampled.
    """

    def __init__(self, columns: Values, units: Units) -> None:
        ones = np.ones((len(columns), 1))
        table = np.concatenate([ones, columns], axis=1)
        self._sums: Values = np.stack(
            [np.bincount(units.codes, values, units.count).astype(float) for values in table.T],
            axis=1,
        )

    def measure(self, times: Times) -> tuple[Values, Values]:
        """Samples (b,) of each resample, and means (b, C)."""
        sums = weighted_sums(self._sums, times)
        return sums[0], ratio(sums[1:], sums[:1]).T


def sample_losses(
    specs: Sequence[MetricSpec], truth: Array, scores: Array, *, exclusive: bool
) -> Values:
    """Losses (N, C) of each sample by each metric of losses."""
    found = [spec.function(truth, scores, exclusive) for spec in specs]
    return np.stack(found, axis=1) if found else np.zeros((len(truth), 0))
