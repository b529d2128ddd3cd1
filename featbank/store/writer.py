"""Writing a store: whole shards, each committed by its hashes; resuming what is left."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

import numpy as np
import zarr

from featbank.disk import naming
from featbank.image import Array
from featbank.samples import UNKNOWN_LABEL
from featbank.store.arrays import as_stored, content_sha256, open_array
from featbank.store.schema import COMMIT, MASK, MASK_DTYPE, REFUSED, VALID, FeatureLayout

if TYPE_CHECKING:
    from pathlib import Path

Shard = dict[str, Array]


class StoreWriter:
    """The one writer of a store.

    Args:
        path: An existing store.
        layout: Its features.
        n: Its rows.
    """

    def __init__(self, path: Path, layout: FeatureLayout, n: int) -> None:
        self.path = path
        self.layout = layout
        self.n = n
        _clean(path)
        group = zarr.open_group(path, mode="r+", zarr_format=3, use_consolidated=False)
        self._names = layout.written
        self._arrays = {name: open_array(group, name) for name in (*self._names, COMMIT)}

    @property
    def names(self) -> tuple[str, ...]:
        """Arrays that the embed pass writes."""
        return self._names

    @property
    def shards(self) -> int:
        """Number of shards."""
        return -(-self.n // self.layout.shard_rows)

    def rows(self, shard: int) -> range:
        """Rows of one shard."""
        start = shard * self.layout.shard_rows
        return range(start, min(start + self.layout.shard_rows, self.n))

    def pending(self) -> list[int]:
        """Shards to embed: those without a commit, and those whose bytes belie their commit."""
        commits = np.asarray(self._arrays[COMMIT][...])
        return [shard for shard in range(self.shards) if not self._is_intact(shard, commits[shard])]

    def _is_intact(self, shard: int, commit: object) -> bool:
        # Nothing fsyncs a store, so after a power cut a commit may outlive its data.
        if not commit:
            return False
        told = json.loads(str(commit))
        return all(self._sha256(name, shard) == told.get(name) for name in self._names)

    def _sha256(self, name: str, shard: int) -> str:
        return content_sha256(np.asarray(self._arrays[name][_slice(self.rows(shard))]))

    def empty_shard(self, shard: int) -> Shard:
        """Buffers for one shard: NaN features, nothing valid, nothing refused."""
        rows = len(self.rows(shard))
        buffers: Shard = {
            name: np.full(
                (rows, *self.layout.row_shape(name)), np.nan, dtype=self.layout.row_dtype(name)
            )
            for name in self.layout.names
        }
        if self.layout.has_mask:
            buffers[MASK] = np.full((rows, *self.layout.mask_px), UNKNOWN_LABEL, MASK_DTYPE)
        for name, shape in self.layout.missing_shapes.items():
            buffers[name] = np.full((rows, *shape), np.nan, dtype=np.float32)
        buffers[VALID] = np.zeros(rows, dtype=bool)
        buffers[REFUSED] = np.full(rows, "", dtype=object)
        return buffers

    def write(self, shard: int, buffers: Shard) -> None:
        """Write one whole shard, its commit last."""
        with naming(self.path):
            self._write(_slice(self.rows(shard)), shard, buffers)

    def _write(self, rows: slice, shard: int, buffers: Shard) -> None:
        for name in self._names:
            self._arrays[name][rows] = as_stored(buffers[name])
        hashes = {name: content_sha256(buffers[name]) for name in self._names}
        self._arrays[COMMIT][shard : shard + 1] = as_stored(
            np.array([json.dumps(hashes, sort_keys=True)], dtype=object)
        )

    def forget(self, shard: int) -> None:
        """Take back a shard's commit, so that it counts as not embedded."""
        with naming(self.path):
            self._arrays[COMMIT][shard : shard + 1] = as_stored(np.array([""], dtype=object))

    def refused(self, pending: list[int]) -> int:
        """Refused rows of the shards that are not pending."""
        is_done = ~np.isin(np.arange(self.shards), pending)
        by_row = np.repeat(is_done, self.layout.shard_rows)[: self.n]
        return int((by_row & ~np.asarray(self._arrays[VALID][...]).astype(bool)).sum())

    def finish(self) -> None:
        """Write the consolidated metadata that makes one read open the whole store."""
        with naming(self.path):
            consolidate(self.path)


def consolidate(path: Path) -> None:
    """Rewrite a store's consolidated metadata; whatever changes a store calls this last."""
    with warnings.catch_warnings():
        # Zarr 3 warns that consolidated metadata is not in the specification yet; xarray needs
        # it to open the store without a warning of its own.
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        zarr.consolidate_metadata(path, zarr_format=3)


def _slice(rows: range) -> slice:
    return slice(rows.start, rows.stop)


def _clean(path: Path) -> None:
    # Zarr writes to a hidden `<name>.<uuid>.partial` and renames; a killed process leaves it.
    for stray in path.rglob("*.partial"):
        stray.unlink(missing_ok=True)
