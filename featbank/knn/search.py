"""Exact nearest neighbours by cosine similarity, tile by tile, in the features' own precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ProbeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array

TILE_ROWS = 8192
QUERY_ROWS = 1024


def unit_norm(features: Array) -> Array:
    """Features divided by their Euclidean norm; rows of zeros stay zero.

    Args:
        features: (N, D) numbers. float16 is computed and given back as float32, since squares of
            float16 overflow; integers as float64.

    Returns:
        (N, D) rows of norm 1 or 0.
    """
    widened = np.asarray(features, dtype=np.result_type(features, np.float32))
    norms = np.linalg.norm(widened, axis=1, keepdims=True)
    divided: Array = np.divide(widened, norms, out=np.zeros_like(widened), where=norms > 0)
    return divided


def nearest(
    queries: Array,
    bank: Array,
    *,
    k: int,
    tile_rows: int = TILE_ROWS,
    query_rows: int = QUERY_ROWS,
) -> tuple[Array, Array]:
    """The k most similar bank rows of each query, exactly.

    Memory beyond the arguments is O(Q k) and one block of similarities. The bank is read once,
    tile by tile, so it may be a memory map. Equal similarities are ordered by bank index, also
    where they straddle rank k. Two equal bank rows have equal similarities only as far as the
    matrix product rounds them alike.

    Args:
        queries: (Q, D) unit-norm features.
        bank: (N, D) unit-norm features, N >= k.
        k: Neighbours of each query, in [1, N].
        tile_rows: Bank rows compared at once.
        query_rows: Queries compared at once.

    Returns:
        Similarity (Q, k) in decreasing order, in the wider of the two dtypes (float32 at least),
        and index (Q, k) int64 into the bank.

    Raises:
        ProbeError: k is out of range, the D differ, or a feature is not finite.
    """
    _check(queries, bank, k)
    dtype = np.result_type(queries, bank, np.float32)
    similarity = np.full((len(queries), k), -np.inf, dtype=dtype)
    index = np.full((len(queries), k), -1, dtype=np.int64)
    for rows in _slices(len(bank), tile_rows):
        tile = _finite(bank[rows], "bank").astype(dtype, copy=False)
        for block in _slices(len(queries), query_rows):
            found = queries[block].astype(dtype, copy=False) @ tile.T
            _merge(similarity[block], index[block], found, rows.start)
    return similarity, index


def _merge(similarity: Array, index: Array, found: Array, start: int) -> None:
    """Merge the similarities of bank rows from ``start`` on into the running top k, in place."""
    rows, columns = _contenders(similarity, found)
    counts = np.bincount(rows, minlength=len(found))
    slots = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    k, width = similarity.shape[1], int(counts.max(initial=0))
    padded = ((0, 0), (0, width))
    values = np.pad(similarity, padded, constant_values=-np.inf)
    indices = np.pad(index, padded, constant_values=-1)
    values[rows, k + slots] = found[rows, columns]
    indices[rows, k + slots] = start + columns
    # Columns stand in order of bank index among equals, so a stable sort breaks ties by index.
    best = np.argsort(-values, axis=1, kind="stable")[:, :k]
    similarity[:] = np.take_along_axis(values, best, axis=1)
    index[:] = np.take_along_axis(indices, best, axis=1)


def _contenders(similarity: Array, found: Array) -> tuple[Array, Array]:
    """Positions in ``found`` that may enter the running top k, row by row.

    An equal similarity found later has the greater index and loses, hence ``>``; within one tile
    all equals of the k-th best stay, hence ``>=``.
    """
    k = similarity.shape[1]
    passes = found > similarity[:, -1:]
    if found.shape[1] > k and passes.sum(axis=1).max(initial=0) > 2 * k:
        passes &= found >= np.partition(found, -k, axis=1)[:, -k, None]
    rows, columns = np.nonzero(passes)
    return rows, columns


def _slices(length: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, length)) for start in range(0, length, step))


def _check(queries: Array, bank: Array, k: int) -> None:
    if queries.ndim != 2 or bank.ndim != 2 or queries.shape[1] != bank.shape[1]:
        raise ProbeError(
            "queries and bank",
            f"their shapes are {queries.shape} and {bank.shape}",
            "(Q, D) and (N, D) of one D",
            "Take both from the same features.",
        )
    if not 1 <= k <= len(bank):
        raise ProbeError(
            "k",
            f"it is {k} and the bank holds N = {len(bank)}",
            "a number in [1, N]",
            "Pass another k or a larger bank.",
        )
    _finite(queries, "queries")


def _finite(features: Array, name: str) -> Array:
    if not np.isfinite(features).all():
        raise ProbeError(
            name,
            "features are NaN or infinite",
            "finite numbers",
            "Leave out the rows that are not valid.",
        )
    return features
