"""Arrays on disk: creation with our chunking, whole-shard writes, hashes of what was written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import zarr

from featbank.store.schema import LAYER, ArraySpec

if TYPE_CHECKING:
    from zarr.core.array_spec import ArrayConfigParams
    from zarr.types import AnyArray

    from featbank.image import Array

# Zarr skips chunks equal to the fill value; then they would look missing. The setting is a
# run-time one that a reopened array forgets, so every opening passes it.
WRITE_ALL: ArrayConfigParams = {"write_empty_chunks": True}


def create_array(group: zarr.Group, spec: ArraySpec) -> None:
    """Create one array, and write its contents where the spec carries them."""
    attributes = dict(spec.attributes)
    if spec.data is not None:
        attributes["sha256"] = content_sha256(spec.data)
    array = group.create_array(
        spec.name,
        shape=spec.shape,
        dtype=spec.dtype,
        chunks=(spec.chunk, *_inner_chunk(spec)),
        shards=(spec.rows, *_at_least_one(spec.shape[1:])) if spec.rows else None,
        fill_value=spec.fill,
        # Lossless codecs gain 8 % on float features and cost 1.4 to 4 times the time.
        compressors=None,
        dimension_names=spec.dims,
        attributes=attributes,
        config=WRITE_ALL,
    )
    if spec.data is not None and spec.data.size:
        array[...] = as_stored(spec.data)


def _inner_chunk(spec: ArraySpec) -> tuple[int, ...]:
    inner = _at_least_one(spec.shape[1:])
    # One layer a chunk, so that reading one layer does not read the others.
    return (1, *inner[1:]) if LAYER in spec.dims[1:] else inner


def _at_least_one(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(max(1, size) for size in shape)


def as_stored(values: Array) -> Array:
    """Text as NumPy's variable-length strings, everything else as it is."""
    if values.dtype.kind in "OU":
        return values.astype(np.dtypes.StringDType())
    return values


def open_array(group: zarr.Group, name: str) -> AnyArray:
    """Open one array for writing with the settings that a reopened array forgets."""
    # ``zarr.open_array(config=...)`` takes the setting and forgets it (zarr 3.1.6).
    return zarr.open_array(group.store, path=name, mode="r+").with_config(WRITE_ALL)


def content_sha256(values: Array) -> str:
    """SHA-256 of an array's contents in C order; text is hashed as lines."""
    digest = hashlib.sha256()
    if values.dtype.kind in "OUT":
        for text in values.reshape(-1):
            digest.update(f"{text}\n".encode())
    else:
        digest.update(np.ascontiguousarray(values).view(np.uint8).data)
    return digest.hexdigest()
