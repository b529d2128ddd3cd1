"""Which chips show the same ground: those whose bounding boxes overlap in one CRS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from featbank.samples import Samples

    Pairs = NDArray[np.intp]

# Chips that only touch share an edge, which rounding may widen: an overlap is wider than this part
# of the smaller chip's side, a sixteenth of a pixel of a 64 px chip.
_TOUCHING = 1e-3
# Pairs of boxes that are compared at once, 32 MB of row numbers.
_AT_ONCE = 2_000_000
# Pairs that are kept, 320 MB of row numbers; of more only which sets of chips they join.
_MOST = 20_000_000
_NO_VALUE = -1e300


def overlapping_pairs(samples: Samples) -> tuple[Pairs, bool]:
    """Pairs of chips that overlap, enough of them to join all that overlap one another.

    Chips of one box, or of one place where boxes are unknown, are paired with the first of them.

    Returns:
        (P, 2) rows, and whether every pair of different boxes is among them.
    """
    kept, is_whole = np.zeros((0, 2), dtype=np.intp), True
    for pairs in _found(samples):
        kept = np.concatenate([kept, pairs])
        if len(kept) > _MOST:
            kept, is_whole = _forest(len(samples), kept), False
    return kept, is_whole


def _found(samples: Samples) -> Iterator[Pairs]:
    if samples.bbox is not None and samples.crs is not None:
        crs = samples.crs.astype(str)
        known = np.isfinite(samples.bbox).all(axis=1) & (crs != "")
        for name in np.unique(crs[known]):
            rows = np.flatnonzero(known & (crs == name))
            for pairs in _pairs_of_boxes(samples.bbox[rows]):
                yield rows[pairs]
    if samples.lonlat is not None:
        rows = np.flatnonzero(np.isfinite(samples.lonlat).all(axis=1))
        yield rows[_to_first(*_first_of_each(samples.lonlat[rows]))]


def _forest(n: int, pairs: Pairs) -> Pairs:
    """Fewer pairs that join the same chips: each with the first of its set."""
    return _to_first(*np.unique(joined(n, pairs), return_index=True, return_inverse=True)[1:])


def twins(samples: Samples) -> NDArray[np.intp]:
    """(N,) first chip of the same box and CRS, or of the same place where boxes are unknown."""
    key = np.full((len(samples), 5), np.nan)
    if samples.lonlat is not None:
        key[:, :2] = samples.lonlat
    if samples.bbox is not None and samples.crs is not None:
        known = np.isfinite(samples.bbox).all(axis=1)
        numbers = np.unique(samples.crs.astype(str), return_inverse=True)[1]
        key[known] = np.column_stack([samples.bbox, numbers])[known]
    alone = np.flatnonzero(np.isnan(key[:, :2]).any(axis=1))
    first, inverse = _first_of_each(np.nan_to_num(key, nan=_NO_VALUE))
    found: NDArray[np.intp] = first[inverse]
    found[alone] = alone
    return found


def joined(n: int, pairs: Pairs) -> NDArray[np.intp]:
    """(N,) number of the set of chips that each belongs to, where pairs are never parted."""
    graph = coo_matrix((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    labels: NDArray[np.intp] = connected_components(graph, directed=False)[1].astype(np.intp)
    return labels


def _pairs_of_boxes(boxes: NDArray[np.float64]) -> Iterator[Pairs]:
    first, inverse = _first_of_each(boxes)
    yield _to_first(first, inverse)
    for pairs in _sweep(boxes[first]):
        yield first[pairs]


def _first_of_each(values: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    _, first, inverse = np.unique(values, axis=0, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)


def _to_first(first: NDArray[np.intp], inverse: NDArray[np.intp]) -> Pairs:
    pairs = np.stack([first[inverse], np.arange(len(inverse))], axis=1)
    is_pair: NDArray[np.bool_] = pairs[:, 0] != pairs[:, 1]
    return np.asarray(pairs[is_pair], dtype=np.intp)


def _sweep(boxes: NDArray[np.float64]) -> Iterator[Pairs]:
    """Overlapping pairs of different boxes: each is compared with those that begin inside it."""
    order = np.argsort(boxes[:, 0], kind="stable")
    boxes = boxes[order]
    stop = np.searchsorted(boxes[:, 0], boxes[:, 2], side="left")
    counts = np.maximum(stop - np.arange(len(boxes)) - 1, 0)
    ends = np.cumsum(counts)
    start = 0
    while start < len(boxes):
        before = ends[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + _AT_ONCE, side="right")))
        own = counts[start:end]
        left = np.repeat(np.arange(start, end), own)
        right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(own) - own, own)
        yield order[_overlapping(boxes, left, right)]
        start = end


def _overlapping(
    boxes: NDArray[np.float64], left: NDArray[np.intp], right: NDArray[np.intp]
) -> Pairs:
    sides = boxes[:, 2:] - boxes[:, :2]
    kept = np.ones(len(left), dtype=bool)
    for axis in (1, 0):
        shared = np.minimum(boxes[left, axis + 2], boxes[right, axis + 2]) - np.maximum(
            boxes[left, axis], boxes[right, axis]
        )
        wide = shared > _TOUCHING * np.minimum(sides[left, axis], sides[right, axis])
        kept &= wide
    return np.stack([left[kept], right[kept]], axis=1)
