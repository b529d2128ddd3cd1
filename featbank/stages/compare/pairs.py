"""Every pair of compared results: difference, interval, p-value, and which is the better."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.scoring.mcnemar import mcnemar
from featbank.metrics.scoring.paired import difference, holm

if TYPE_CHECKING:
    from featbank.image import Array
    from featbank.metrics.metric import MetricSpec, Values

LEVEL = 0.05


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One result against another.

    Attributes:
        a: Position of the first among the results.
        b: Position of the second.
        difference: Value of the first less that of the second, on the common samples.
        low: Lower end of its 95 % bootstrap interval, not corrected; None where there is none.
        high: Upper end.
        p: Two-sided p-value; None where there is none.
        p_holm: The same, corrected for all pairs.
        p_mcnemar: That of McNemar's exact test, corrected for all pairs too; None but for the
            accuracy of samples without groups. It decides nothing.
        better: Position of the better one; None where no difference is shown.
    """

    a: int
    b: int
    difference: float
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    p_mcnemar: float | None
    better: int | None


def all_pairs(
    values: Values,
    replicates: Values,
    spec: MetricSpec,
    *,
    units: int,
    is_right: Array | None = None,
) -> list[Pair]:
    """Compare each result with each later one.

    Args:
        values: (P,) the metric of each result.
        replicates: (R, P) the same in each resample.
        spec: The metric, which says whether more or less is better.
        units: Samples or groups that were drawn.
        is_right: (P, N) bool, of accuracy: which independent samples each result has right; None
            where samples stand in groups, or for another metric.
    """
    sides = [list(pair) for pair in combinations(range(len(values)), 2)]
    found = [difference(values[pair], replicates[:, pair], units=units) for pair in sides]
    corrected = holm(np.array([each.p for each in found]))
    exact = np.full(len(sides), np.nan)
    if is_right is not None:
        exact = holm(np.array([mcnemar(is_right[a], is_right[b]) for a, b in sides]))
    return [
        Pair(
            a=a,
            b=b,
            difference=each.value,
            low=_number(each.low),
            high=_number(each.high),
            p=_number(each.p),
            p_holm=_number(p),
            p_mcnemar=_number(q),
            better=_better(a, b, each.value, p, spec),
        )
        for (a, b), each, p, q in zip(sides, found, corrected.tolist(), exact, strict=True)
    ]


def _better(a: int, b: int, above: float, p: float, spec: MetricSpec) -> int | None:
    if not p < LEVEL:
        return None
    return a if (above < 0) == spec.less_is_better else b


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
