"""Paired comparison: one metric of several predictions on the same resamples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.scoring.intervals import LEVEL, MIN_UNITS
from featbank.metrics.scoring.multilabel_panel import MultilabelPanel
from featbank.metrics.scoring.resampling import each_block, interval
from featbank.metrics.scoring.scoring import SinglePanel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.image import Array
    from featbank.metrics.metric import Values
    from featbank.metrics.scoring.averages import Absent
    from featbank.metrics.scoring.kernels import Times
    from featbank.metrics.scoring.panel import Panel
    from featbank.metrics.scoring.resampling import Resampling, Units


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One number of a set of predictions.

    Attributes:
        metric: Name in the metrics catalog.
        average: Which aggregate; None for a metric that has one value.
        threshold: Name of the thresholds that make decisions; None where nothing does.
        absent: What macro averages make of classes without samples.
    """

    metric: str
    average: str | None
    threshold: str | None
    absent: Absent


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Predictions of one probe.

    Attributes:
        scores: (N, K) finite scores.
        limits: (K,) thresholds that make decisions of scores; None where nothing does.
    """

    scores: Array
    limits: Array | None = None


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """How far one value is above another.

    Attributes:
        value: The first less the second.
        low: Lower end of the 95 % interval; NaN without resamples, or of few units.
        high: Upper end.
        p: Two-sided p-value of no difference; NaN likewise.
    """

    value: float
    low: float
    high: float
    p: float


def paired_values(
    truth: Array, judged: Sequence[Judged], wanted: Wanted, resampling: Resampling
) -> tuple[Values, Values]:
    """One metric of several predictions of the same samples, and of each resample of them.

    Args:
        truth: (N,) class indices, or (N, K) 0 and 1.
        judged: P predictions.
        wanted: The metric.
        resampling: What is resampled, how often.

    Returns:
        Values (P,) and replicates (R, P); R is 0 with fewer than two units to draw.
    """
    units = resampling.units(len(truth))
    panels = [_panel(truth, each, wanted, units) for each in judged]

    def measure(times: Times) -> Values:
        return np.stack([_pick(panel, wanted, times) for panel in panels], axis=-1)

    values = measure(units.once)[0]
    if units.count < 2 or not resampling.resamples:
        return values, np.zeros((0, len(panels)))
    return values, np.concatenate(each_block(measure, units.count, resampling))


def difference(values: Values, replicates: Values, *, units: int) -> PairedDifference:
    """How far the first of two values is above the second.

    The interval is the expanded percentile interval: tails of the resamples so much narrower as
    Student's t and a standard deviation of U - 1 ask of U units. The p-value is twice the share of
    resamples beyond 0 as the sample sees it, the sample itself counted as one, widened likewise.
    Where the resamples lean to one side and the sample to the other, as of rare labels, whose
    resamples hold some of them twice, that shows no difference.

    Args:
        values: (2,) of all samples.
        replicates: (R, 2) of each resample; those where one is NaN are left out.
        units: U, samples or groups that are drawn; fewer than ``MIN_UNITS`` tell nothing.

    References:
        Davison and Hinkley 1997, Bootstrap Methods and their Application, 4.4 and 5.4. Hesterberg
        2015, doi:10.1080/00031305.2015.1089789, 3.1 and 5.3 (expanded percentile interval).
    """
    drawn = replicates[:, 0] - replicates[:, 1]
    drawn = drawn[~np.isnan(drawn)]
    above = float(values[0] - values[1])
    if len(drawn) < 2 or units < MIN_UNITS:
        return PairedDifference(value=above, low=np.nan, high=np.nan, p=np.nan)
    tail = _expanded((1 - LEVEL) / 2, units)
    low, high = interval(drawn, level=1 - 2 * tail)
    beyond = int((drawn * np.sign(above) <= 0).sum())
    p = 2 * _narrowed((1 + beyond) / (1 + len(drawn)), units)
    return PairedDifference(value=above, low=float(low), high=float(high), p=min(1.0, p))


def _expanded(tail: float, units: int) -> float:
    """Share of the resamples beyond one end, where ``tail`` is asked of endless units."""
    from scipy.special import ndtr, stdtrit

    return float(ndtr(math.sqrt(units / (units - 1)) * stdtrit(units - 1, tail)))


def _narrowed(share: float, units: int) -> float:
    """The tail that a share of the resamples stands for, the inverse of ``_expanded``."""
    from scipy.special import ndtri, stdtr

    return float(stdtr(units - 1, ndtri(min(share, 0.5)) / math.sqrt(units / (units - 1))))


def holm(p_values: Values) -> Values:
    """P-values (M,) corrected for there being M of them; NaN stays NaN and is not counted.

    References:
        Holm 1979, Scandinavian Journal of Statistics 6(2), 65-70.
    """
    corrected = np.full(len(p_values), np.nan)
    order = [i for i in np.argsort(p_values, kind="stable") if not np.isnan(p_values[i])]
    least = 0.0
    for rank, i in enumerate(order):
        least = max(least, (len(order) - rank) * p_values[i])
        corrected[i] = min(1.0, least)
    return corrected


def _panel(truth: Array, judged: Judged, wanted: Wanted, units: Units) -> Panel:
    only, absent = (wanted.metric,), wanted.absent
    if truth.ndim == 1:
        return SinglePanel(truth, judged.scores, units, absent, only)
    limits = {} if judged.limits is None else {str(wanted.threshold): judged.limits}
    return MultilabelPanel(truth, judged.scores, limits, units, absent, only)


def _pick(panel: Panel, wanted: Wanted, times: Times) -> Values:
    """The wanted aggregate (b,) of the one column that the panel has."""
    (column,), (values,) = panel.resampled, panel.measure(times)
    picked: Values = values[:, column.averages.index(wanted.average)]
    return picked
