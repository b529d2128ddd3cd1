"""The first pass of a search on the host: float32 scores of all rows, the candidates they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from featbank.image import Array

# Scores of 2,048 queries by 1,024 rows are 8 MB: small enough for the caches, and large enough
# that packing the operands of the product costs little (measured on two cores).
TILE_ROWS = 1024
_ROUNDING = 2.0**-24


class Scan:
    """Running candidates of some queries: the rows of greatest float32 score.

    Args:
        queries: (Q, D) float32 of ``Space.query_rows``.
        keep: Candidates of each query.
        tile_rows: Bank rows multiplied at once.
    """

    def __init__(self, queries: Array, keep: int, *, tile_rows: int = TILE_ROWS) -> None:
        shape = (len(queries), 2 * keep + tile_rows)
        self._keep, self._tile_rows = keep, tile_rows
        self._error = score_error(queries)
        self._product = HostProduct(queries)
        self._values = np.full(shape, -np.inf, dtype=np.float32)
        self._index = np.full(shape, -1, dtype=np.int64)
        self._count = np.zeros(len(queries), dtype=np.int64)
        self._threshold = np.full(len(queries), -np.inf, dtype=np.float32)

    def add(self, start: int, rows: Array, offsets: Array | None, exclude: Array | None) -> None:
        """Take in bank rows from ``start`` on.

        Args:
            start: Bank index of the first of them.
            rows: (n, D) float32 of ``Space.bank_rows``.
            offsets: (n,) of ``Space.offsets``.
            exclude: (Q,) bank index that each query must not find, or None.
        """
        for first in range(0, len(rows), self._tile_rows):
            tile = slice(first, first + self._tile_rows)
            self._product.compute(rows[tile], None if offsets is None else offsets[tile])
            if exclude is not None:
                self._product.leave_out(exclude - start - first)
            self._append(start + first)
            if self._count.max(initial=0) > 2 * self._keep:
                self._compress()

    def candidates(self, k: int) -> tuple[Array, Array]:
        """Rows that may be among the k nearest, k <= keep.

        Returns:
            Bank index (Q, keep), -1 where there are fewer, and a bound (Q,): of all rows that the
            scan did not keep, none has a float32 score above it.
        """
        self._compress()
        values = self._values[:, : self._keep]
        lost = np.isneginf(values) | hopeless(values, k, self._error)
        index = np.where(lost, -1, self._index[:, : self._keep])
        return index, self._threshold

    def _append(self, start: int) -> None:
        if not self._count.any():
            self._fill(start)
            return
        rows, columns, values = self._product.above(self._threshold)
        counts = np.bincount(rows, minlength=len(self._count))
        first = self._count - np.cumsum(counts) + counts
        slots = np.arange(len(rows)) + np.repeat(first, counts)
        self._values[rows, slots] = values
        self._index[rows, slots] = start + columns
        self._count += counts

    def _fill(self, start: int) -> None:
        """Take the first tile whole: no threshold is known yet."""
        found = self._product.all()
        width = found.shape[1]
        self._values[:, :width] = found
        self._index[:, :width] = start + np.arange(width)
        self._count[:] = width

    def _compress(self) -> None:
        """Keep the best of each query that has too many."""
        full = np.flatnonzero(self._count > self._keep)
        if not len(full):
            return
        width = int(self._count.max())
        values = self._values[full, :width]
        best = np.argpartition(values, width - self._keep, axis=1)[:, -self._keep :]
        kept = np.take_along_axis(values, best, axis=1)
        self._index[full, : self._keep] = np.take_along_axis(self._index[full, :width], best, 1)
        self._values[full, : self._keep] = kept
        self._values[full, self._keep : width] = -np.inf
        self._count[full] = self._keep
        self._threshold[full] = kept.min(axis=1)


class HostProduct:
    """Scores of a tile by NumPy; on two cores its product is 5 to 10 % faster than torch's.

    Args:
        queries: (Q, D) float32.
    """

    def __init__(self, queries: Array) -> None:
        self._queries = queries
        self._buffer = np.empty(0, dtype=np.float32)
        self._found = np.empty((0, 0), dtype=np.float32)

    def compute(self, rows: Array, offsets: Array | None) -> None:
        """Scores (Q, n) of rows (n, D)."""
        shape = (len(self._queries), len(rows))
        size = shape[0] * shape[1]
        if self._buffer.size < size:
            self._buffer = np.empty(size, dtype=np.float32)
        self._found = self._buffer[:size].reshape(shape)
        np.matmul(self._queries, rows.T, out=self._found)
        if offsets is not None:
            self._found += offsets.astype(np.float32)

    def leave_out(self, columns: Array) -> None:
        """Drop one column (Q,) of each query, where it is in the tile."""
        hit = np.flatnonzero((columns >= 0) & (columns < self._found.shape[1]))
        self._found[hit, columns[hit]] = -np.inf

    def above(self, threshold: Array) -> tuple[Array, Array, Array]:
        """Row, column and value of the scores above the threshold (Q,), row by row."""
        flat = np.flatnonzero(self._found > threshold[:, None])
        rows, columns = np.divmod(flat, max(1, self._found.shape[1]))
        return rows, columns, self._found.reshape(-1)[flat]

    def all(self) -> Array:
        """Scores (Q, n), until the next tile is computed."""
        return self._found


def hopeless(values: Array, k: int, error: Array) -> Array:
    """Whether candidates are so far below the k-th that no rounding explains it.

    Args:
        values: (Q, keep) float32 scores.
        k: Neighbours of each query, k <= keep.
        error: (Q,) of ``score_error``.

    Returns:
        (Q, keep) bool: below the k-th greatest of the query by more than two errors of a score.
    """
    place = values.shape[1] - k
    kth = np.partition(values, place, axis=1)[:, place]
    lost: Array = values < (kth - 2 * error)[:, None]
    return lost


def score_error(queries: Array) -> Array:
    """Bound (Q,) on how far a float32 score is from the exact one, in any order of summation.

    Bank rows have norm 1 or less, and offsets are half of that. A sum of D products is off by at
    most D u / (1 - D u) of the sum of their magnitudes, u = 2^-24, which Cauchy-Schwarz bounds by
    the product of the norms; 4 u stand for the offset and the roundings of norms above 1.

    References:
        Higham 2002, Accuracy and Stability of Numerical Algorithms, eq. 3.5.
    """
    terms = (queries.shape[1] + 4) * _ROUNDING
    norms = np.linalg.norm(queries.astype(np.float64), axis=1)
    error: Array = terms / (1 - terms) * (1 + 1e-6) * (norms + 0.5)
    return error
