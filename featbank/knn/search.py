"""Exact nearest neighbours, tile by tile: the same neighbours whatever the tiles and threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from featbank.device import device_of, full_float32
from featbank.errors import ProbeError
from featbank.knn.bank import PreparedBank, TiledBank, as_bank
from featbank.knn.exact import ExactScan, rescore
from featbank.knn.scan import TILE_ROWS, Scan, score_error
from featbank.knn.space import COSINE
from featbank.knn.tiles import require_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from featbank.image import Array
    from featbank.knn.device_search import DeviceSearch
    from featbank.knn.tiles import Tiles

    Progress = Callable[[int, int], None]

# Candidates beyond k. The k-th best must be known to beat the first row left out by more than the
# float32 error, 4.6e-5 for 768 features; 270,000 rows are 1e-6 to 1e-5 apart at rank 200.
MARGIN = 32
# On a device the scores of 4,096 queries by 65,536 rows are 1 GB. A larger tile leaves fewer
# candidates to merge and fewer kernels to start; what it gains is not measured.
DEVICE_TILE_ROWS = 65_536


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How the work is cut and where it is done; results do not depend on it.

    Attributes:
        tile_rows: Bank rows multiplied at once by the CPU.
        device_tile_rows: Bank rows multiplied at once by another device, which takes fewer where
            its memory runs short, and ``read_rows`` of a bank that it does not keep.
        read_rows: Bank rows read, put on the grid and copied to a device at once.
        query_rows: Queries of one thread.
        pass_rows: Queries of one pass over the bank.
        margin: Candidates beyond k that the float32 pass keeps.
        threads: Threads on the CPU; 0 takes the cores that the process may use.
        device: ``cpu``, the name of a torch device, or ``auto``: CUDA where there is one.
    """

    tile_rows: int = TILE_ROWS
    device_tile_rows: int = DEVICE_TILE_ROWS
    read_rows: int = 8192
    query_rows: int = 2048
    pass_rows: int = 4096
    margin: int = MARGIN
    threads: int = 0
    device: str = "auto"


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One search as its passes see it; ``there`` makes the candidates on a device, if not None."""

    bank: PreparedBank | TiledBank
    k: int
    plan: Plan
    threads: int
    there: DeviceSearch | None
    tell: Callable[[int], None] = field(repr=False)

    def tiles(self) -> Iterator[tuple[int, Array, Array | None]]:
        for start, rows in self.bank.prepared(self.plan.read_rows):
            yield start, rows, self.bank.space.offsets(rows)


def nearest(
    queries: Array,
    bank: Array | Tiles | PreparedBank,
    *,
    k: int,
    metric: str = COSINE,
    exclude: Array | None = None,
    plan: Plan | None = None,
    progress: Progress | None = None,
) -> tuple[Array, Array]:
    """The k bank rows nearest to each query, exactly.

    Rows are compared on the grid of ``featbank.knn.space``, where a score has no rounding: a
    float32 pass keeps k + 32 candidates, which are scored again without error; a query whose k-th
    neighbour float32 cannot tell from the first row left out is searched again in float64. Equal
    rows stand in order of bank index. Memory beyond the arguments is O(Q k), and for each pass
    over the bank one tile and O(4,096 k). A CUDA device keeps the whole bank for all passes where
    it takes no more than half of the memory that is free there; else each pass copies it.

    Args:
        queries: (Q, D) finite features; for cosine their norms do not matter.
        bank: (N, D) features, an array or memory map, or tiles such as those of a store, read
            twice for each 4,096 queries, or once in all where a device keeps them (and once more
            for the Euclidean metric); or what ``prepare`` made, whose metric it has.
        k: Neighbours of each query, in [1, N], or [1, N - 1] where rows are excluded.
        metric: ``cosine`` or ``euclidean``.
        exclude: (Q,) bank index that each query must not find, such as its own, -1 for none.
        plan: How the work is cut.
        progress: Called as the first pass moves on with how many pairs of a query and a bank row
            are compared, on a device queued, and how many there are.

    Returns:
        (Q, k) float64 similarity in decreasing order, or distance in increasing order, and (Q, k)
        int64 index into the bank.

    Raises:
        ProbeError: k is out of range, the D differ, or a feature is not finite.
        UnknownNameError: No metric has this name.
        MemoryShortError: The device does not hold the scores of even a small tile.
    """
    plan = plan or Plan()
    _check(queries, bank, k, exclude)
    device, read = device_of(plan.device), as_bank(bank, metric)
    values = np.empty((len(queries), k))
    index = np.empty((len(queries), k), dtype=np.int64)
    task = _Task(
        bank=read,
        k=k,
        plan=plan,
        threads=plan.threads or cores(),
        there=None if device == "cpu" else _on_device(read, k, plan, device),
        tell=_teller(progress, len(queries) * len(bank)),
    )
    with nullcontext() if device == "cpu" else full_float32(device):
        for rows in _slices(len(queries), plan.pass_rows):
            prepared = task.bank.space.query_rows(queries[rows])
            left_out = None if exclude is None else exclude[rows]
            scores, index[rows] = _search(prepared, left_out, task)
            values[rows] = task.bank.space.present(scores, prepared)
    return values, index


def _on_device(bank: PreparedBank | TiledBank, k: int, plan: Plan, device: str) -> DeviceSearch:
    # torch takes seconds to import, and a search on the host has no use for it.
    from featbank.knn.device_search import DeviceSearch

    return DeviceSearch(
        bank,
        device,
        k=k,
        keep=k + plan.margin,
        tile_rows=plan.device_tile_rows,
        piece_rows=plan.read_rows,
    )


def _search(queries: Array, exclude: Array | None, task: _Task) -> tuple[Array, Array]:
    """Exact scores and indices (Q, k) of the queries of one pass."""
    scores, index, bound = _scored(queries, exclude, task)
    best = np.argsort(-scores, axis=1, kind="stable")[:, : task.k]
    scores, index = (np.take_along_axis(part, best, axis=1) for part in (scores, index))
    doubtful = np.flatnonzero(scores[:, -1] <= bound + score_error(queries))
    if len(doubtful):
        left_out = None if exclude is None else exclude[doubtful]
        scores[doubtful], index[doubtful] = _search_exactly(queries[doubtful], left_out, task)
    return scores, index


def _scored(queries: Array, exclude: Array | None, task: _Task) -> tuple[Array, Array, Array]:
    """Exact scores and indices (Q, k + margin) of candidates by index; the others' bound (Q,)."""
    if task.there is None:
        index, bound = _candidates(queries, exclude, task)
    else:
        index, bound, scores = task.there.candidates(queries, exclude, task.tell)
        if scores is not None:
            return scores, index, bound
    index.sort(axis=1)
    return _rescored(queries, index, task), index, bound


def _candidates(queries: Array, exclude: Array | None, task: _Task) -> tuple[Array, Array]:
    """Candidates (Q, k + margin) of each query by the host, the bound (Q,) of the rows left out."""
    blocks = _blocks(len(queries), task)
    keep, size = task.k + task.plan.margin, task.plan.tile_rows
    scans = [Scan(queries[rows], keep, tile_rows=size) for rows in blocks]
    excludes = [None if exclude is None else exclude[rows] for rows in blocks]
    # Each thread multiplies its own queries, so that none waits while another selects.
    with threadpool_limits(1), ThreadPoolExecutor(task.threads) as pool:
        for tile in task.tiles():
            pairs = zip(scans, excludes, strict=True)
            list(pool.map(lambda pair, tile=tile: pair[0].add(*tile, pair[1]), pairs))
            task.tell(len(queries) * len(tile[1]))
        found = list(pool.map(lambda scan: scan.candidates(task.k), scans))
    index, bound = zip(*found, strict=True)
    return np.concatenate(index), np.concatenate(bound)


def _rescored(queries: Array, index: Array, task: _Task) -> Array:
    """Exact scores (Q, k + margin) by the host, of candidates in increasing order of index."""
    scores = np.full(index.shape, -np.inf)
    blocks = _blocks(len(queries), task)
    with threadpool_limits(1), ThreadPoolExecutor(task.threads) as pool:
        for tile in task.tiles():
            work = [(scores[rows], index[rows], queries[rows], tile) for rows in blocks]
            list(pool.map(lambda arguments: rescore(*arguments), work))
    return scores


def _search_exactly(queries: Array, exclude: Array | None, task: _Task) -> tuple[Array, Array]:
    scan = ExactScan(queries, task.k)
    for start, rows, offsets in task.tiles():
        scan.add(start, rows, offsets, exclude)
    return scan.scores, scan.index


def _blocks(queries: int, task: _Task) -> list[slice]:
    """Queries of each thread at a time."""
    share = -(-queries // task.threads)
    return list(_slices(queries, max(1, min(task.plan.query_rows, share))))


def _slices(length: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, length)) for start in range(0, length, step))


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _teller(progress: Progress | None, total: int) -> Callable[[int], None]:
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if progress:
            progress(done, total)

    return tell


def _check(
    queries: Array, bank: Array | Tiles | PreparedBank, k: int, exclude: Array | None
) -> None:
    shape = bank.shape if isinstance(bank, np.ndarray) else (len(bank), bank.dim)
    if queries.ndim != 2 or len(shape) != 2 or queries.shape[1] != shape[1]:
        raise ProbeError(
            "queries and bank",
            f"their shapes are {queries.shape} and {shape}",
            "(Q, D) and (N, D) of one D",
            "Take both from the same features.",
        )
    leaves_out = exclude is not None and bool((exclude >= 0).any())
    if not 1 <= k <= len(bank) - leaves_out:
        own = ", one of which is left out" if leaves_out else ""
        raise ProbeError(
            "k",
            f"it is {k} and the bank holds N = {len(bank)}{own}",
            f"a number in [1, N{' - 1' if leaves_out else ''}]",
            "Pass another k or a larger bank.",
        )
    if exclude is not None and exclude.shape != (len(queries),):
        raise ProbeError(
            "exclude",
            f"its shape is {exclude.shape}",
            f"({len(queries)},), one bank index a query",
            "Pass -1 for queries that leave none out.",
        )
    require_finite(queries, "queries")
