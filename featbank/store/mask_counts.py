"""Pixels of each class of a store's label maps, counted shard by shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import StoreError
from featbank.samples import SPLITS
from featbank.store.schema import CLASS_PREFIX, MASK
from featbank.store.stored import reading, stored_array, stored_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    import zarr
    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.store.reader import Store


def mask_classes(store: Store) -> tuple[str, ...]:
    """Class names of a store's label maps; () where it keeps none."""
    name = f"{CLASS_PREFIX}{MASK}"
    if not (store.path / name).exists():
        return ()
    return tuple(str(each) for each in stored_values(store.path, name))


def mask_counts(store: Store, scheme: str | None = None) -> NDArray[np.int64]:
    """Pixels of each class of a store's label maps by split, read shard by shard.

    Args:
        store: A finished store.
        scheme: Split scheme; None takes the default.

    Returns:
        (4, K) pixels of the ``train``, ``val``, ``test`` and ``unlabelled`` samples that are valid
        and not excluded; pixels of no class are left out.

    Raises:
        StoreError: The store keeps no label maps.
        UnknownNameError: No such split scheme.
    """
    names = mask_classes(store)
    if not names:
        raise StoreError(
            str(store.path), "it keeps no label maps", "an array 'mask'", "Embed a masked dataset."
        )
    codes = (store.split(scheme)[:, None] == np.array(SPLITS)).argmax(axis=1)
    rows = store.valid & (store.exclude == "")
    with reading(store.path, MASK):
        counts = count_pixels(stored_array(store.path, MASK), rows, codes, len(names))
    return np.pad(counts, ((0, len(SPLITS) - len(counts)), (0, 0)))


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
