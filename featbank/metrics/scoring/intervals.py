"""95 % intervals of a metric: Wilson's, on as many independent samples as its groups are worth.

What spread there is comes from leaving out one group, or a part of many, at a time. They are of a
fitted probe on new samples like those of test: ``docs/intervals.md`` has the coverage that was
simulated, and what an interval leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from featbank.metrics.metric import Values

LEVEL = 0.95
# A row that fewer units stand behind has no interval: no variance of so few holds.
MIN_UNITS = 5
# Moves below this are sums in another order, not spread.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far values move as units are left out.

    Attributes:
        variance: (M,) variance of each value; 0 where nothing moves it.
        freedom: (M,) degrees of freedom of that variance, >= 1; infinite where nothing moves it.
    """

    variance: Values
    freedom: Values


def jackknife(values: Values, left_out: Values) -> Spread:
    """Variance of values, and how well it is known, from leaving out one unit at a time.

    The farthest move counts twice: the next unit may well be as far off as the worst one seen,
    and near a bound, where few units hold all that is wrong, coverage falls short without (ours;
    its effect is simulated). Degrees of freedom follow the kurtosis of the moves: where one unit
    makes the whole variance, that is known as badly as from two.

    Args:
        values: (M,) values of all units.
        left_out: (B, M) values without each of B >= 2 units, or blocks of them; where one is NaN,
            its unit moves nothing.

    References:
        Shao and Tu 1995, The Jackknife and Bootstrap. Valliant and Rust 2010, Journal
        of Official Statistics 26(4), 585-602 (degrees of freedom by kurtosis; the variance of a
        variance is that of Cramér 1946, 27.4).
    """
    blocks = len(left_out)
    moved = np.nan_to_num(left_out - values)
    squares = np.where(np.abs(moved) > _ROUNDING, moved, 0.0) ** 2
    total, fourth = squares.sum(axis=0), (squares**2).sum(axis=0)
    moves = total > 0
    kurtosis = blocks * fourth / np.where(moves, total, 1.0) ** 2
    excess = np.maximum(kurtosis - (blocks - 3) / (blocks - 1), 1e-9)
    known = np.clip(2 * blocks / excess, 1.0, blocks - 1)
    freedom = np.where(moves, known, np.inf)
    variance = (blocks - 1) / blocks * (total + squares.max(axis=0))
    return Spread(variance=variance, freedom=freedom)


def wilson(shares: Values, size: Values, freedom: Values) -> tuple[Values, Values]:
    """Wilson's interval (M,) of shares in [0, 1], with a quantile of Student's t.

    Args:
        shares: (M,) shares.
        size: (M,) independent samples that they are worth, >= 0.
        freedom: (M,) degrees of freedom; infinite ones give the normal quantile.

    References:
        Wilson 1927, doi:10.1080/01621459.1927.10502953, eq. 5.
    """
    from scipy.special import ndtri, stdtrit

    tail = (1 + LEVEL) / 2
    finite = np.where(np.isfinite(freedom), freedom, 1.0)
    square = np.where(np.isfinite(freedom), stdtrit(finite, tail), ndtri(tail)) ** 2
    centre = size * shares + square / 2
    half = np.sqrt(square * (size * shares * (1 - shares) + square / 4))
    low, high = (centre - half) / (size + square), (centre + half) / (size + square)
    # Rounding alone puts the share outside.
    return np.clip(low, 0.0, shares), np.clip(high, shares, 1.0)


def independent_interval(values: Values, trials: Values) -> tuple[Values, Values]:
    """Interval (M,) of proportions of ``trials`` (M,) independent samples; NaN without any."""
    return wilson(values, np.where(trials > 0, trials, np.nan), np.full(len(values), np.inf))


def grouped_interval(
    values: Values,
    spread: Spread,
    *,
    units: Values,
    bounds: tuple[float, float] = (0.0, 1.0),
    trials: Values | None = None,
) -> tuple[Values, Values]:
    """Interval (M,) of bounded values: Wilson's, on v (1 - v) / variance samples.

    The values are moved into [0, 1]. A value is worth the samples that would give a proportion of
    its size the same variance; where nothing moves it, as when all is right, it is worth one a
    unit. The rule is the same for every value of a metric.

    Args:
        values: (M,) values within ``bounds``; NaN where undefined.
        spread: How far they move as units are left out.
        units: (M,) units behind each value; fewer than ``MIN_UNITS`` give no interval.
        bounds: Least and greatest value that the metric can take.
        trials: (M,) samples of each proportion, which it is worth at most; infinite ones, or
            None, where a value is no proportion.

    References:
        Korn and Graubard 1998, Survey Methodology 24(2), 193-201 (effective sample size, t
        quantile, at most n); Dean and Pagano 2015, doi:10.1093/jssam/smv024 and Franco et al.
        2019, doi:10.1093/jssam/smy019 (Wilson's interval on it; that simple variances fall short
        with clusters).
    """
    least, span = bounds[0], bounds[1] - bounds[0]
    shares = np.clip((values - least) / span, 0.0, 1.0)
    binomial, variance = shares * (1 - shares), spread.variance / span**2
    is_seen = (variance > 0) & (binomial > 0)
    size = np.where(is_seen, binomial / np.where(is_seen, variance, 1.0), units)
    if trials is not None:
        size = np.minimum(size, trials)
    freedom = np.minimum(spread.freedom, np.maximum(units - 1, 1.0))
    low, high = wilson(shares, size, freedom)
    kept = (units >= MIN_UNITS) & ~np.isnan(values) & (size > 0)
    # Moving there and back rounds too.
    low = np.minimum(least + span * low, values)
    high = np.maximum(least + span * high, values)
    return np.where(kept, low, np.nan), np.where(kept, high, np.nan)
