"""Reading one committed shard of a store whole, checked against its commit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import zarr

from featbank.store.arrays import content_sha256
from featbank.store.schema import COMMIT

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.store.writer import Shard


def read_commits(path: Path) -> list[str]:
    """What each shard of a store was committed with; '' where it is not."""
    commits = zarr.open_array(path / COMMIT, mode="r", zarr_format=3)[...]
    return [str(commit) for commit in np.asarray(commits)]


def read_shard(path: Path, commit: str, rows: range) -> Shard | None:
    """All that the embed pass wrote in one shard; None where its bytes belie its commit.

    Args:
        path: The store, finished or not.
        commit: The shard's commit.
        rows: Its rows.
    """
    buffers: Shard = {}
    for name, sha256 in json.loads(commit).items():
        array = zarr.open_array(path / name, mode="r", zarr_format=3)
        values = np.asarray(array[rows.start : rows.stop])
        if content_sha256(values) != sha256:
            return None
        buffers[name] = values.astype(object) if values.dtype.kind == "T" else values
    return buffers
