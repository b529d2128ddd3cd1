"""Pixels of each class of a store's label maps, counted shard by shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import zarr
    from numpy.typing import NDArray

    from featbank.image import Array


def count_pixels(
    masks: zarr.Array[Any], rows: NDArray[np.bool_], groups: Array, classes: int
) -> NDArray[np.int64]:
    """Pixels by group and class; one shard is in memory at a time.

    Args:
        masks: (N, H, W) class indices; -1 unknown.
        rows: (N,) which samples are counted.
        groups: (N,) group of each sample, in [0, G).
        classes: K.

    Returns:
        (G, K) pixels; unknown ones are left out. G is one more than the greatest group.

    Raises:
        StoreError: An index beyond the classes.
    """
    total = int(groups.max()) + 1 if groups.size else 0
    counts = np.zeros((total, classes), dtype=np.int64)
    for part in _shards(masks):
        pixels, kept = np.asarray(masks[part]), rows[part]
        for group in np.unique(groups[part][kept]):
            chosen = pixels[kept & (groups[part] == group)]
            found = np.bincount(chosen[chosen >= 0], minlength=classes)
            if len(found) > classes:
                raise StoreError(
                    str(masks.store_path),
                    f"its label maps name class {len(found) - 1}",
                    f"indices below {classes}, the number of their class names",
                    "Embed the dataset again.",
                )
            counts[group] += found
    return counts


def _shards(masks: zarr.Array[Any]) -> Iterator[slice]:
    step = int((masks.shards or masks.chunks)[0])
    total = int(masks.shape[0])
    for start in range(0, total, step):
        yield slice(start, min(start + step, total))
