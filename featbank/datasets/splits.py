"""Split schemes for datasets that publish none: seeded 60/20/20, by group or place where known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from featbank.samples import TEST, TRAIN, UNLABELLED, VAL, Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMES = tuple(f"random-{seed}" for seed in range(5))
_TRAIN_SHARE, _VAL_SHARE = 0.6, 0.2
# Chips nearer than this share weather, season and fields; about 10 km at mid latitudes.
_BLOCK_DEGREES = 0.1
_NO_CELL = -1e6


def with_splits(samples: Samples) -> Samples:
    """Samples with schemes ``random-0`` … ``random-4`` where none is published.

    Whole groups, or blocks of 0.1° where only places are known, go to one split, so that test
    samples are not neighbours of train samples; without either, classes are stratified.
    """
    if samples.splits:
        return samples
    blocks = _blocks(samples)
    schemes = {
        name: _by_class(samples, seed) if blocks is None else _by_block(blocks, seed)
        for seed, name in enumerate(SCHEMES)
    }
    return replace(samples, splits=schemes)


def _blocks(samples: Samples) -> NDArray[np.intp] | None:
    if samples.group is not None:
        return np.unique(samples.group.astype(str), return_inverse=True)[1]
    if samples.lonlat is not None:
        cells = np.nan_to_num(np.floor(samples.lonlat / _BLOCK_DEGREES), nan=_NO_CELL)
        return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)
    return None


def _by_block(blocks: NDArray[np.intp], seed: int) -> NDArray[np.int8]:
    order = np.random.default_rng(seed).permutation(blocks.max() + 1)
    sizes = np.bincount(blocks)[order]
    # A block goes where its middle sample would go, so that no split is starved by a large block.
    middle = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
    split = np.empty(len(order), dtype=np.int8)
    split[order] = _split_of(middle)
    return split[blocks]


def _by_class(samples: Samples, seed: int) -> NDArray[np.int8]:
    rng = np.random.default_rng(seed)
    out = np.full(len(samples), UNLABELLED, dtype=np.int8)
    strata = _strata(samples)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        ranks = (np.arange(len(rows)) + 0.5) / len(rows)
        out[rng.permutation(rows)] = _split_of(ranks)
    return out


def _strata(samples: Samples) -> NDArray[np.int64]:
    single = [s.codes for s in samples.labels.values() if not s.is_multilabel]
    return single[0].astype(np.int64) if single else np.zeros(len(samples), dtype=np.int64)


def _split_of(position: NDArray[np.float64]) -> NDArray[np.int8]:
    return np.select(
        [position < _TRAIN_SHARE, position < _TRAIN_SHARE + _VAL_SHARE],
        [np.int8(TRAIN), np.int8(VAL)],
        np.int8(TEST),
    ).astype(np.int8)
