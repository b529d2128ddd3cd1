"""The ladder of split schemes: what is kept apart, from the strictest to plain stratification."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets.splitting.blocks import (
    BLOCK_DEGREES,
    EDGES_M,
    degree_blocks,
    edge_name,
    local_metres,
    metre_blocks,
)
from featbank.datasets.splitting.overlaps import joined, overlapping_pairs, twins
from featbank.datasets.splitting.unit_splits import by_need, candidates, split_at
from featbank.samples import TRAIN, UNLABELLED, VAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from featbank.datasets.splitting.split_judge import SplitJudge
    from featbank.samples import Samples

    Split = NDArray[np.int8]
    Units = NDArray[np.intp]
    Ways = Callable[[SplitJudge, int], Iterator[Split]]

GROUP, OVERLAP, STRATIFIED = "group", "overlap", "stratified"
BLOCK = "block-"
# Where fewer samples have a place, blocks would say nothing of most of them.
_PLACED = 0.5
# Cutting goes through all pairs of overlapping chips each time.
_CUT_TRIES = 4


@dataclass(frozen=True)
class Rung:
    """One kind of scheme.

    Args:
        kind: Its name, without the seed.
        ways: Draws of a seed, the seed's own first.
    """

    kind: str
    ways: Ways


class Dependence:
    """What makes samples depend on one another.

    Args:
        samples: The dataset.

    Attributes:
        samples: The dataset.
        pairs: (P, 2) rows of chips that overlap.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.pairs, self._knows_all_pairs = overlapping_pairs(samples)
        # Sets of chips that overlap one another; most are one chip each.
        self._atoms = joined(len(samples), self.pairs)

    @property
    def has_places(self) -> bool:
        """Whether places are known of enough samples to split by them."""
        lonlat = self.samples.lonlat
        return lonlat is not None and np.isfinite(lonlat).all(axis=1).mean() >= _PLACED

    @cached_property
    def own_rung(self) -> Rung:
        """The rung that is tried first: groups, else blocks of 0.1°, else chips by their class."""
        if self.samples.group is not None:
            return Rung(GROUP, partial(candidates, self._groups()))
        if self.samples.lonlat is not None and self.has_places:
            units = self._whole(degree_blocks(self.samples.lonlat))
            return Rung(f"{BLOCK}{BLOCK_DEGREES}deg", partial(candidates, units))
        return next(self._overlap_rung(), self.last_rung)

    @property
    def last_rung(self) -> Rung:
        """Single samples, stratified by class."""
        return Rung(STRATIFIED, partial(_stratified, self.samples))

    def lower_rungs(self) -> Iterator[Rung]:
        """Rungs between the first and the last."""
        if self.samples.lonlat is not None and self.has_places:
            yield from self._smaller_blocks(local_metres(self.samples.lonlat))
        yield from self._overlap_rung()

    def _overlap_rung(self) -> Iterator[Rung]:
        """Sets of overlapping chips as groups, where some overlap and not all of them."""
        if 2 < self._atoms.max() + 1 < len(self.samples):
            kind = GROUP if self.samples.group is None else OVERLAP
            yield Rung(kind, partial(_by_class_first, self._atoms))

    def _smaller_blocks(self, metres: NDArray[np.float64]) -> Iterator[Rung]:
        blocks = {edge: metre_blocks(metres, edge) for edge in EDGES_M}
        for edge, own in blocks.items():
            units = self._whole(own)
            # Blocks of one set of overlapping chips each keep nothing else together.
            if units.max() == self._atoms.max():
                break
            yield Rung(BLOCK + edge_name(edge), partial(candidates, units))
        if len(self.pairs) and self._knows_all_pairs:
            same = twins(self.samples)
            for edge, own in blocks.items():
                ways = partial(_cut, own, self.pairs, same)
                yield Rung(BLOCK + edge_name(edge), ways)

    def _whole(self, units: Units) -> Units:
        """Units in which overlapping chips stand together, in the unit of the first of them."""
        if not len(self.pairs):
            return units
        first = np.unique(self._atoms, return_index=True)[1]
        return np.unique(units[first[self._atoms]], return_inverse=True)[1].reshape(-1)

    def _groups(self) -> Units:
        names, units = np.unique(np.asarray(self.samples.group).astype(str), return_inverse=True)
        left, right = self.pairs.T
        if (units[left] == units[right]).all():
            return units
        # Groups whose chips overlap are one.
        merged = joined(len(names), np.stack([units[left], units[right]], axis=1))
        return merged[units]


def _by_class_first(units: Units, judge: SplitJudge, seed: int) -> Iterator[Split]:
    yield by_need(units, judge, seed)
    yield from candidates(units, judge, seed)


def _stratified(samples: Samples, judge: SplitJudge, seed: int) -> Iterator[Split]:
    yield by_class(samples, seed)
    yield by_need(np.arange(len(samples)), judge, seed)


def by_class(samples: Samples, seed: int) -> Split:
    """Samples of each class in a drawn order, cut at 60 % and 80 %."""
    rng = np.random.default_rng(seed)
    out = np.full(len(samples), UNLABELLED, dtype=np.int8)
    strata = _strata(samples)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        ranks = (np.arange(len(rows)) + 0.5) / len(rows)
        out[rng.permutation(rows)] = split_at(ranks)
    return out


def _strata(samples: Samples) -> NDArray[np.int64]:
    single = [s.codes for s in samples.labels.values() if not s.is_multilabel]
    return single[0].astype(np.int64) if single else np.zeros(len(samples), dtype=np.int64)


def _cut(
    blocks: Units, pairs: NDArray[np.intp], same: Units, judge: SplitJudge, seed: int
) -> Iterator[Split]:
    """Blocks as they are, without the chips that overlap a chip of another split."""
    for split in candidates(blocks, judge, seed, tries=_CUT_TRIES):
        out = split[same]
        left, right = pairs.T
        # Train gives way to both others, validation to test.
        for loser in (TRAIN, VAL):
            parted = (out[left] != out[right]) & (out[left] != UNLABELLED)
            parted &= out[right] != UNLABELLED
            for side in (left, right):
                rows = side[parted]
                out[rows[split[same][rows] == loser]] = UNLABELLED
        yield out[same]
