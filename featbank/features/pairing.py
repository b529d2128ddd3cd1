"""Which rows of several stores are one sample: by sample id, or by pair id where ids differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import StoreError
from featbank.store.schema import PAIR_ID, SAMPLE_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featbank.store.reader import Store

BY_ID, BY_PAIR = SAMPLE_ID, PAIR_ID


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """Rows of two stores that are the same sample.

    Attributes:
        first: (n,) rows of the first store, increasing.
        second: (n,) rows of the second store, aligned.
        by: ``sample_id`` or ``pair_id``.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    by: str


def pair(first: Store, second: Store) -> Pairing:
    """Rows of two stores that are the same sample, in the order of the first.

    Samples are joined on sample id; where no id is in both stores, on ``pair_id``, which names the
    Sentinel-2 patch of a Sentinel-1 patch.

    Raises:
        StoreError: A pair id that several samples of one store bear.
    """
    rows = matched_rows(first.ids, second.ids)
    if len(rows[0]) or not all(PAIR_ID in store.column_names for store in (first, second)):
        return Pairing(first=rows[0], second=rows[1], by=BY_ID)
    keys = [store.column(PAIR_ID) for store in (first, second)]
    for store, column in zip((first, second), keys, strict=True):
        _require_unique(store, column)
    rows = matched_rows(*keys)
    return Pairing(first=rows[0], second=rows[1], by=BY_PAIR)


def pair_all(stores: Sequence[Store]) -> tuple[NDArray[np.intp], ...]:
    """Rows of the samples that all stores hold, one array a store, in the order of the first.

    Raises:
        StoreError: No sample is in all stores, or a pair id is borne twice.
    """
    first, *others = stores
    found = {0: np.arange(len(first))}
    for number, other in enumerate(others, start=1):
        pairing = pair(first, other)
        if not len(pairing.first):
            raise nothing_joins(first, other)
        row_of = np.full(len(first), -1, dtype=np.intp)
        row_of[pairing.first] = pairing.second
        found[number] = row_of
    common = np.flatnonzero(np.all([rows >= 0 for rows in found.values()], axis=0))
    if not len(common):
        raise StoreError(
            ", ".join(store.path.name for store in stores),
            "no sample is in all of them",
            "stores of the same samples",
            "Join fewer stores.",
        )
    return tuple(rows[common] for rows in found.values())


def matched_rows(
    first: NDArray[Any], second: NDArray[Any]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of equal keys in two columns of unique keys; '' matches nothing.

    Example:
        >>> rows = matched_rows(np.array(["b", "", "a"]), np.array(["a", "c", "b"]))
        >>> [column.tolist() for column in rows]
        [[0, 2], [2, 0]]
    """
    row_of = {key: row for row, key in enumerate(second.tolist()) if key}
    found = [(row, row_of[key]) for row, key in enumerate(first.tolist()) if key in row_of]
    pairs = np.array(found, dtype=np.intp).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def nothing_joins(first: Store, second: Store) -> StoreError:
    """The error for two stores without a common sample."""
    return StoreError(
        f"{first.path.name} and {second.path.name}",
        f"no sample is in both (the first holds '{first.ids[0]}', the other '{second.ids[0]}')",
        "equal sample ids, or equal pair ids",
        "Name two stores of the same samples.",
    )


def _require_unique(store: Store, keys: NDArray[np.object_]) -> None:
    borne = [key for key in keys.tolist() if key]
    if len(set(borne)) == len(borne):
        return
    repeated = Counter(borne).most_common(1)[0][0]
    raise StoreError(
        str(store.path),
        f"several samples bear the pair id '{repeated}'",
        "one sample for each pair",
        "Join it with a store that has the same sample ids.",
    )
