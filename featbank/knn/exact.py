"""The second pass of a search: exact float64 scores, of candidates or of the whole bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from featbank.image import Array

_TILE_ROWS = 1024


def rescore(
    scores: Array, index: Array, queries: Array, tile: tuple[int, Array, Array | None]
) -> None:
    """Fill in the exact scores of those candidates that lie in a tile.

    Args:
        scores: (Q, M) float64, written in place.
        index: (Q, M) bank index of the candidates, each row in increasing order, -1 for none.
        queries: (Q, D) float32 of ``Space.query_rows``.
        tile: Bank index of the first row, (n, D) rows of ``Space.bank_rows``, (n,) offsets.
    """
    start, rows, offsets = tile
    first, last = ((index < edge).sum(axis=1) for edge in (start, start + len(rows)))
    for i in np.flatnonzero(last > first):
        taken = index[i, first[i] : last[i]] - start
        found = rows[taken].astype(np.float64) @ queries[i].astype(np.float64)
        scores[i, first[i] : last[i]] = found if offsets is None else found + offsets[taken]


class ExactScan:
    """Running top k by exact scores, equals by bank index: where float32 cannot tell rows apart.

    Args:
        queries: (Q, D) float32 of ``Space.query_rows``.
        k: Neighbours of each query.
    """

    def __init__(self, queries: Array, k: int) -> None:
        self._queries = queries.astype(np.float64)
        self.scores = np.full((len(queries), k), -np.inf)
        self.index = np.full((len(queries), k), -1, dtype=np.int64)

    def add(self, start: int, rows: Array, offsets: Array | None, exclude: Array | None) -> None:
        """Take in bank rows from ``start`` on, as ``Scan.add`` does."""
        for first in range(0, len(rows), _TILE_ROWS):
            tile = slice(first, first + _TILE_ROWS)
            found = self._queries @ rows[tile].T.astype(np.float64)
            if offsets is not None:
                found += offsets[tile]
            if exclude is not None:
                columns = exclude - start - first
                hit = np.flatnonzero((columns >= 0) & (columns < found.shape[1]))
                found[hit, columns[hit]] = -np.inf
            merge(self.scores, self.index, found, start + first)


def merge(scores: Array, index: Array, found: Array, start: int) -> None:
    """Merge the scores (Q, n) of bank rows from ``start`` on into the running top k, in place."""
    rows, columns = _contenders(scores, found)
    counts = np.bincount(rows, minlength=len(found))
    slots = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    k, width = scores.shape[1], int(counts.max(initial=0))
    padded = ((0, 0), (0, width))
    values = np.pad(scores, padded, constant_values=-np.inf)
    indices = np.pad(index, padded, constant_values=-1)
    values[rows, k + slots] = found[rows, columns]
    indices[rows, k + slots] = start + columns
    # Columns stand in order of bank index among equals, so a stable sort breaks ties by index.
    best = np.argsort(-values, axis=1, kind="stable")[:, :k]
    scores[:] = np.take_along_axis(values, best, axis=1)
    index[:] = np.take_along_axis(indices, best, axis=1)


def _contenders(scores: Array, found: Array) -> tuple[Array, Array]:
    """Positions in ``found`` that may enter the running top k, row by row.

    An equal score found later has the greater index and loses, hence ``>``; within one tile all
    equals of the k-th best stay, hence ``>=``.
    """
    k = scores.shape[1]
    passes = found > scores[:, -1:]
    if found.shape[1] > k and passes.sum(axis=1).max(initial=0) > 2 * k:
        passes &= found >= np.partition(found, -k, axis=1)[:, -k, None]
    rows, columns = np.nonzero(passes)
    return rows, columns
