"""The nearest neighbours of samples in their own store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.catalog import suggest
from featbank.errors import StoreError, UnknownNameError
from featbank.knn.search import nearest
from featbank.store.feature_tiles import FeatureTiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.image import Array
    from featbank.store.reader import Store


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Queries and what is nearest to each.

    Attributes:
        queries: (Q,) sample ids.
        ids: (Q, k) sample ids of the neighbours, the nearest first; never the query itself.
        similarity: (Q, k) cosine, in [-1, 1].
    """

    queries: Array
    ids: Array
    similarity: Array


def neighbours_of(
    store: Store,
    ids: Sequence[str],
    k: int,
    *,
    feature: str | None = None,
    layer: int | None = None,
) -> Neighbours:
    """The k samples most similar to each of some, exactly, by the cosine of their features.

    Args:
        store: A store.
        ids: Q sample ids that were embedded.
        k: Neighbours of each; a smaller store gives all others.
        feature: As ``Store.features`` takes it.
        layer: Block index; None takes the last one stored.

    Raises:
        UnknownNameError: An id that the store does not hold.
        StoreError: A query was refused, or there is no second sample.
    """
    rows = np.flatnonzero(store.valid)
    if len(rows) < 2:
        raise StoreError(
            str(store.path), f"{len(rows)} samples are embedded", "2 at least", "Embed more."
        )
    places = np.searchsorted(rows, [embedded_row(store, str(sample)) for sample in ids])
    bank = FeatureTiles(store, feature, layer=layer, rows=rows)
    queries = np.concatenate(
        [
            next(iter(FeatureTiles(store, feature, layer=layer, rows=rows[[place]]).tiles(1)))[1]
            for place in places
        ]
    )
    count = min(k, len(rows) - 1)
    similarity, index = nearest(queries, bank, k=count, exclude=places)
    return Neighbours(
        queries=store.ids[rows[places]], ids=store.ids[rows[index]], similarity=similarity
    )


def embedded_row(store: Store, sample: str) -> int:
    """The row of a sample that has features.

    Raises:
        UnknownNameError: The store does not hold it.
        StoreError: It was refused.
    """
    found = np.flatnonzero(store.ids == sample)
    if not len(found):
        raise UnknownNameError(
            sample,
            f"{store.path.name} holds no such sample",
            f"one of its {len(store)} sample ids",
            suggest(sample, store.ids[:5000].tolist()),
        )
    if not store.valid[found[0]]:
        raise StoreError(
            f"sample '{sample}'",
            f"it was refused ({store.refused[found[0]]}) and has no features",
            "a sample that was embedded",
            "Name another.",
        )
    return int(found[0])
