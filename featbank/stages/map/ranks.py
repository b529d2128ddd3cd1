"""How near samples are to one another, counted among all samples: exact ranks, tile by tile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.knn.space import make_space

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.knn.space import Space
    from featbank.knn.tiles import Tiles

# Scores of 256 queries by 4,096 rows are 8 MB of float64, and those of one query 32 KB.
_QUERIES, _TILE_ROWS = 256, 4096


def ranks(bank: Tiles, rows: Array, others: Array, *, metric: str) -> NDArray[np.int64]:
    """Rank of some samples among all, as seen from each query: 1 is the nearest.

    Scores lie on the grid of ``featbank.knn.space``, where they have no rounding; equals stand in
    order of their row, as ``nearest`` gives them. The query itself is not counted.

    Args:
        bank: All N samples.
        rows: (Q,) rows of the queries in the bank.
        others: (Q, m) rows of the samples whose ranks are wanted.
        metric: ``cosine`` or ``euclidean``.

    Returns:
        (Q, m) ranks in [1, N - 1].
    """
    space = make_space(metric, bank)
    queries = _queries(bank, rows, space)
    scores = _scores(bank, queries, others, space)
    before = np.zeros(others.shape, dtype=np.int64)
    for start, found, offsets in _tiles(bank, space):
        for first in range(0, len(rows), _QUERIES):
            block = slice(first, first + _QUERIES)
            values = queries[block] @ found.T
            if offsets is not None:
                values += offsets
            _leave_out(values, rows[block] - start)
            before[block] += _ahead(values, scores[block], others[block] - start)
    return before + 1


def _queries(bank: Tiles, rows: Array, space: Space) -> NDArray[np.float64]:
    """(Q, D) prepared rows of the queries."""
    queries = np.empty((len(rows), bank.dim))
    for start, tile in bank.tiles(_TILE_ROWS):
        inside = np.flatnonzero((rows >= start) & (rows < start + len(tile)))
        queries[inside] = space.query_rows(tile[rows[inside] - start])
    return queries


def _scores(
    bank: Tiles, queries: NDArray[np.float64], others: Array, space: Space
) -> NDArray[np.float64]:
    """(Q, m) scores of each query with its own samples."""
    scores = np.empty(others.shape)
    for start, found, offsets in _tiles(bank, space):
        query, column = np.nonzero((others >= start) & (others < start + len(found)))
        taken = others[query, column] - start
        values = np.einsum("nd,nd->n", queries[query], found[taken])
        scores[query, column] = values if offsets is None else values + offsets[taken]
    return scores


def _tiles(bank: Tiles, space: Space) -> Iterator[tuple[int, Array, Array | None]]:
    for start, tile in bank.tiles(_TILE_ROWS):
        found = space.bank_rows(tile)
        yield start, found.astype(np.float64), space.offsets(found)


def _leave_out(values: NDArray[np.float64], columns: Array) -> None:
    hit = np.flatnonzero((columns >= 0) & (columns < values.shape[1]))
    values[hit, columns[hit]] = -np.inf


def _ahead(values: Array, scores: Array, columns: Array) -> NDArray[np.int64]:
    """(Q, m) how many rows of the tile stand before each sample: the nearer, and earlier equals."""
    before = np.zeros(scores.shape, dtype=np.int64)
    cuts = np.clip(columns, 0, values.shape[1])
    # One row at a time stays in the first cache while it is compared m times; NumPy counts true
    # values of one axis ten times as fast as of rows of a matrix.
    for i, row in enumerate(values):
        for j, (limit, cut) in enumerate(zip(scores[i], cuts[i], strict=True)):
            earlier, later = row[:cut] >= limit, row[cut:] > limit
            before[i, j] = np.count_nonzero(earlier) + np.count_nonzero(later)
    return before
