"""How often each sample, or each whole group, stands in each set that is drawn or left over."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from featbank.metrics.scoring.kernels import count_picks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from featbank.image import Array

T = TypeVar("T")
ItemT = TypeVar("ItemT")

_WIDTH = 256  # most resamples of a block: wider ones gain nothing, narrower ones up to half
_BLOCK_BYTES = 1 << 25  # largest table of counts, one a thread; narrower blocks beyond it


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """How a metric is computed again for its interval: parts left out, or sets drawn.

    Attributes:
        groups: (N,) group of each sample, sortable: whole groups are drawn, or left out; None
            draws or leaves out samples.
        resamples: Sets that are drawn, or at most so many that each leave a part out; fewer
            than 2 parts give no intervals.
        seed: Seed of the draws, and of the parts where there are fewer than groups or samples.
    """

    groups: Array | None = None
    resamples: int = 1000
    seed: int = 0

    def units(self, n: int) -> Units:
        """What is drawn of N samples, or left out."""
        return units_of(n, self.groups)

    def of(self, rows: Array) -> Resampling:
        """The same for some of the samples."""
        groups = None if self.groups is None else self.groups[rows]
        return replace(self, groups=groups)


PLAIN = Resampling()


@dataclass(frozen=True, kw_only=True)
class Units:
    """What is drawn with replacement, or left out: samples, or whole groups of them.

    Attributes:
        codes: (N,) unit of each sample, in [0, U).
        count: U units.
    """

    codes: NDArray[np.int32]
    count: int

    @property
    def once(self) -> NDArray[np.uint8]:
        """(U, 1) the table of counts of the samples as they are: each stands once."""
        return np.ones((self.count, 1), np.uint8)


def units_of(n: int, groups: Array | None = None) -> Units:
    """The units of N samples.

    Args:
        n: N samples.
        groups: (N,) group of each sample, sortable; None where samples are independent.
    """
    if groups is None:
        return Units(codes=np.arange(n, dtype=np.int32), count=n)
    names, codes = np.unique(groups, return_inverse=True)
    return Units(codes=codes.astype(np.int32), count=len(names))


def drawn_times(count: int, *, first: int, width: int, seed: int) -> NDArray[np.uint8]:
    """How often (U, b) each of U units is drawn in b sets of U draws with replacement.

    Resample r has a stream of its own, so neither blocks nor threads change what is drawn. A
    unit falls 256 times into one set, where a byte ends, once in 1e500 sets.

    Args:
        count: U units, >= 1.
        first: Number of the first resample.
        width: b resamples.
        seed: Seed of the draws.

    References:
        Field and Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x (resampling whole clusters).
    """
    times = np.zeros((count, width), np.uint8)
    for column in range(width):
        rng = np.random.default_rng((seed, first + column))
        count_picks(rng.integers(count, size=count, dtype=np.uint32), times, column)
    return times


def each_block(
    measure: Callable[[NDArray[np.uint8]], T], count: int, resampling: Resampling
) -> list[T]:
    """What a function makes of each block of resamples, on all cores, in order.

    Args:
        measure: Takes (U, b) counts.
        count: U units.
        resampling: How many resamples, and the seed.
    """

    def drawn(first: int, width: int) -> NDArray[np.uint8]:
        return drawn_times(count, first=first, width=width, seed=resampling.seed)

    return _blocks(measure, drawn, count, resampling.resamples)


def each_left_out(
    measure: Callable[[NDArray[np.uint8]], T], count: int, resampling: Resampling
) -> list[T]:
    """What a function makes of the units less each part in turn, on all cores, in order.

    Each unit is a part of its own; or there are as many parts as resamples, of units drawn at
    random and of equal size but for one.

    Args:
        measure: Takes (U, b) counts of 0 and 1.
        count: U units.
        resampling: How many parts at most, and the seed.

    References:
        Kott 2001, Journal of Official Statistics 17(4), 521-526 (leaving out parts of units).
    """
    parts = min(count, resampling.resamples)
    part = np.arange(count) % max(1, parts)
    if parts < count:
        part = np.random.default_rng(resampling.seed).permutation(part)

    def without(first: int, width: int) -> NDArray[np.uint8]:
        kept: NDArray[np.bool_] = part[:, None] != np.arange(first, first + width)
        return kept.astype(np.uint8)

    return _blocks(measure, without, count, parts)


def _blocks(
    measure: Callable[[NDArray[np.uint8]], T],
    times: Callable[[int, int], NDArray[np.uint8]],
    count: int,
    sets: int,
) -> list[T]:
    """What a function makes of tables (U, b), each made of its first set and its width."""
    width = max(1, min(_WIDTH, -(-sets // _cores()), _BLOCK_BYTES // max(1, count)))
    return on_all_cores(
        lambda first: measure(times(first, min(width, sets - first))), range(0, sets, width)
    )


def on_all_cores(function: Callable[[ItemT], T], items: Sequence[ItemT]) -> list[T]:
    """What a function makes of each item, in order; it should let other threads run meanwhile."""
    with ThreadPoolExecutor(max(1, min(len(items), _cores()))) as threads:
        return list(threads.map(function, items))


def interval(values: Array, *, level: float = 0.95) -> tuple[Array, Array]:
    """Percentile interval over the first axis, leaving NaN out.

    Args:
        values: (R, ...) replicates, R >= 1.
        level: Coverage in (0, 1).

    Returns:
        Low and high (...); NaN where every replicate is NaN.
    """
    tails = ((1 - level) / 2, (1 + level) / 2)
    undefined = np.isnan(values).all(axis=0)
    low, high = np.nanquantile(np.where(undefined, 0.0, values), tails, axis=0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
