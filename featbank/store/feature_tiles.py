"""Features of a finished store in tiles, read shard by shard and never all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import StoreError
from featbank.store.stored import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array
    from featbank.store.reader import Store


class FeatureTiles:
    """Rows of one feature of a store, as a search over neighbours reads them.

    While one tile is worked on, a thread reads the next: two tiles and one shard are in memory.

    Args:
        store: A finished store.
        name: ``cls``, ``mean``, or several joined by ``+``; None takes the backbone's default.
        layer: Block index; None takes the last one stored.
        rows: (n,) rows in increasing order, such as ``numpy.flatnonzero(store.valid)``; None takes
            all, whose refused ones are NaN.

    Raises:
        UnknownNameError: A feature or layer that the store does not hold.
        StoreError: Rows are not in increasing order, or outside of the store.
    """

    def __init__(
        self,
        store: Store,
        name: str | None = None,
        *,
        layer: int | None = None,
        rows: Array | None = None,
    ) -> None:
        self._layer = store.layer_position(layer)
        self._path = store.path
        self._names = (name or store.attributes["default_feature"]).split("+")
        self._arrays = [store.feature_array(part) for part in self._names]
        first = self._arrays[0]
        self._total = int(first.shape[0])
        self._rows = np.arange(self._total) if rows is None else np.asarray(rows)
        self._require_order(str(store.path))
        self._shard_rows = int((first.shards or first.chunks)[0])

    @property
    def dim(self) -> int:
        """D, of joined features their sum."""
        return sum(int(array.shape[-1]) for array in self._arrays)

    def __len__(self) -> int:
        return len(self._rows)

    def tiles(self, rows: int) -> Iterator[tuple[int, Array]]:
        """Consecutive pieces of at most ``rows`` of the chosen rows.

        Yields:
            Number of the first among the chosen rows, and (n, D) float32 features.
        """
        starts = range(0, len(self), rows)
        with ThreadPoolExecutor(1) as reader:
            coming = [reader.submit(self._tile, start, rows) for start in starts[:1]]
            for start in starts:
                tile = coming.pop().result()
                if start + rows < len(self):
                    coming.append(reader.submit(self._tile, start + rows, rows))
                yield start, tile

    def _tile(self, start: int, count: int) -> Array:
        """Chosen rows from ``start`` on, one shard after the other."""
        wanted = self._rows[start : start + count]
        tile = np.empty((len(wanted), self.dim), dtype=np.float32)
        changes = np.flatnonzero(np.diff(wanted // self._shard_rows)) + 1
        edges = [0, *changes.tolist(), len(wanted)]
        for first, stop in pairwise(edges):
            self._read(wanted[first:stop], tile[first:stop])
        return tile

    def _read(self, rows: Array, out: Array) -> None:
        """Rows of one shard, of which just the span that holds them is read."""
        low, high = int(rows[0]), int(rows[-1]) + 1
        column = 0
        for name, array in zip(self._names, self._arrays, strict=True):
            with reading(self._path, name):
                span = np.asarray(array[low:high, self._layer])
                out[:, column : column + span.shape[1]] = span[rows - low]
            column += span.shape[1]

    def _require_order(self, subject: str) -> None:
        rows = self._rows
        is_inside = not len(rows) or (rows[0] >= 0 and rows[-1] < self._total)
        if not is_inside or (np.diff(rows) <= 0).any():
            raise StoreError(
                subject,
                "rows to read are not in increasing order, or outside of it",
                f"row numbers in [0, {self._total}), each greater than the one before",
                "Sort them, and pass each once.",
            )
