"""Giving units, such as blocks or groups, to splits: by chance, or as classes need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets.splitting.split_judge import FEW, SHARES
from featbank.samples import TEST, TRAIN, VAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from featbank.datasets.splitting.split_judge import SplitJudge

    Split = NDArray[np.int8]

# Drawn orders of the units that are tried, the seed's own among them.
_TRIES = 32
_NOWHERE = -1


def candidates(
    units: NDArray[np.intp], judge: SplitJudge, seed: int, tries: int = _TRIES
) -> Iterator[Split]:
    """Ways to give whole units to splits: drawn ones, then one that looks after every class.

    Args:
        units: (N,) unit of each sample, 0 to U - 1.
        judge: Knows the classes.
        seed: Of all that is drawn.
        tries: Drawn orders, the seed's own among them.
    """
    yield by_middle(units, seed)
    if units.max() + 1 < len(SHARES):
        return
    for attempt in range(1, tries):
        yield by_middle(units, (seed, attempt))
    yield by_need(units, judge, seed)


def by_middle(units: NDArray[np.intp], seed: int | Sequence[int]) -> Split:
    """Units in a drawn order, cut at 60 % and 80 % of the samples."""
    order = np.random.default_rng(seed).permutation(units.max() + 1)
    sizes = np.bincount(units)[order]
    # A unit goes where its middle sample would go, so that no split is starved by a large unit.
    middle = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
    split = np.empty(len(order), dtype=np.int8)
    split[order] = split_at(middle)
    return split[units]


def split_at(position: NDArray[np.float64]) -> Split:
    """Split of each position of 0 to 1 along the samples."""
    cuts = np.cumsum(SHARES)
    return np.select(
        [position < cuts[TRAIN], position < cuts[VAL]],
        [np.int8(TRAIN), np.int8(VAL)],
        np.int8(TEST),
    ).astype(np.int8)


def by_need(units: NDArray[np.intp], judge: SplitJudge, seed: int) -> Split:
    """Units to the split that lacks their classes most, the rarest classes first.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of
    multi-label data", section 3) of whole units: the first unit of a class goes to train, the
    second to test, the others where the class is furthest below its share.
    """
    table = judge.table(units)
    counted = np.bincount(units[judge.counted], minlength=len(table))
    whole = np.bincount(units, minlength=len(table))
    dealt = _Dealt(table, counted if counted.any() else whole, np.random.default_rng(seed))
    dealt.deal()
    dealt.fill_empty()
    return dealt.split[units]


class _Dealt:
    """Units on their way to the splits."""

    def __init__(
        self, table: NDArray[np.int64], sizes: NDArray[np.int64], rng: np.random.Generator
    ) -> None:
        self._table, self._sizes, self._rng = table, sizes, rng
        self.split = np.full(len(table), _NOWHERE, dtype=np.int8)
        self._held = np.zeros((len(SHARES), table.shape[1]), dtype=np.int64)
        self._filled = np.zeros(len(SHARES), dtype=np.int64)

    def deal(self) -> None:
        """Give every unit a split."""
        holders = (self._table > 0).sum(axis=0)
        drawn = self._rng.permutation(len(holders))
        for k in drawn[np.argsort(holders[drawn], kind="stable")]:
            wanted = SHARES * self._table[:, k].sum()
            for unit in self._open_units(self._table[:, k]):
                self._put(unit, self._next_of(k, wanted))
        for unit in self._open_units(np.maximum(self._sizes, 1)):
            self._put(unit, self._neediest(SHARES * self._sizes.sum() - self._filled))

    def _open_units(self, weight: NDArray[np.int64]) -> NDArray[np.intp]:
        """Units of some weight that have no split yet, the heaviest first, ties drawn."""
        found = self._rng.permutation(np.flatnonzero((self.split == _NOWHERE) & (weight > 0)))
        return found[np.argsort(-weight[found], kind="stable")]

    def _next_of(self, k: int, wanted: NDArray[np.float64]) -> int:
        held = self._held[:, k]
        for part in (TRAIN, TEST):
            if held[part] == 0:
                return part
        return self._neediest(wanted - held)

    def _neediest(self, need: NDArray[np.float64]) -> int:
        behind = SHARES * self._sizes.sum() - self._filled
        # Of equal needs test comes before validation, which can be carved from train.
        best = np.flatnonzero(np.isclose(need, need.max()))[::-1]
        return int(best[np.argmax(behind[best])])

    def _put(self, unit: int, part: int) -> None:
        if self.split[unit] != _NOWHERE:
            self._held[self.split[unit]] -= self._table[unit]
            self._filled[self.split[unit]] -= self._sizes[unit]
        self.split[unit] = part
        self._held[part] += self._table[unit]
        self._filled[part] += self._sizes[unit]

    def fill_empty(self) -> None:
        """Move the smallest unit that can be spared into a split without samples."""
        for part in (TRAIN, TEST, VAL):
            spare = self._spare() if self._filled[part] == 0 else np.zeros(0, dtype=np.intp)
            if len(spare):
                self._put(int(spare[np.argmin(self._sizes[spare])]), part)

    def _spare(self) -> NDArray[np.intp]:
        """Units whose split keeps a sample without them, and train one of every class.

        Those that test can spare too come alone, where there are any.
        """
        rest = self._filled[self.split] - self._sizes
        kept = (rest > 0) & (self._sizes > 0) & ~self._is_last_of(TRAIN)
        better = kept & ~self._is_last_of(TEST)
        return np.flatnonzero(better if better.any() else kept)

    def _is_last_of(self, part: int) -> NDArray[np.bool_]:
        """(U,) whether a unit of a split is the last there of a class of three samples or more."""
        many = self._table.sum(axis=0) >= FEW
        left = self._held[part] - self._table
        lost = ((self._table > 0) & (left == 0) & many).any(axis=1)
        return np.asarray((self.split == part) & lost)
