"""The rows of a store that a map shows, and their features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import StoreError
from featbank.knn.tiles import ArrayTiles
from featbank.sources.selection import hash_order
from featbank.store.feature_tiles import FeatureTiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.knn.tiles import Tiles
    from featbank.stages.map.options import MapOptions
    from featbank.store.reader import Store

READ_ROWS = 8192


@dataclass(frozen=True, kw_only=True)
class FeatureChoice:
    """Which features of a store are meant.

    Attributes:
        name: ``cls``, ``mean``, or several joined by ``+``.
        layer: Block index.
    """

    name: str
    layer: int

    def tiles(self, store: Store, rows: Array) -> FeatureTiles:
        """Rows of a store, in increasing order, that are read when they are needed."""
        return FeatureTiles(store, self.name, layer=self.layer, rows=rows)


def feature_choice(store: Store, options: MapOptions) -> FeatureChoice:
    """The features that the options mean.

    Raises:
        UnknownNameError: The store holds no such feature or layer.
    """
    name = options.features or store.attributes["default_feature"]
    layer = store.layers[store.layer_position(options.layer)]
    for part in name.split("+"):
        store.feature_array(part)
    return FeatureChoice(name=name, layer=layer)


def asked_rows(store: Store, options: MapOptions) -> NDArray[np.intp]:
    """Rows that were embedded, of the split asked for.

    Raises:
        UnknownNameError: No such split scheme.
    """
    kept = store.valid
    if options.split is not None:
        kept = kept & (store.split(options.split_scheme) == options.split)
    return np.flatnonzero(kept)


def finite_rows(store: Store, choice: FeatureChoice, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Those of the rows whose features are all finite.

    Raises:
        StoreError: They are fewer than two.
    """
    is_finite = np.zeros(len(rows), dtype=bool)
    for start, tile in choice.tiles(store, rows).tiles(READ_ROWS):
        is_finite[start : start + len(tile)] = np.isfinite(tile).all(axis=1)
    found = rows[is_finite]
    if len(found) < 2:
        raise StoreError(
            str(store.path),
            f"{len(found)} of the samples asked for have features",
            "two or more to draw a map of",
            "Map another split, or embed more chips.",
        )
    return found


def fitted_among(store: Store, rows: NDArray[np.intp], count: int) -> NDArray[np.bool_]:
    """(n,) whether each row is among the first ``count`` in order of the hash of its id.

    That order is mixed, the same everywhere, and nested, as that of ``embed --limit``.
    """
    chosen = np.zeros(len(rows), dtype=bool)
    chosen[hash_order(store.ids[rows])[:count] if count < len(rows) else slice(None)] = True
    return chosen


def gather(tiles: Tiles) -> Array:
    """(N, D) all rows of tiles in memory."""
    features = np.empty((len(tiles), tiles.dim), dtype=np.float32)
    for start, tile in tiles.tiles(READ_ROWS):
        features[start : start + len(tile)] = tile
    return features


def held(tiles: Tiles, limit: int) -> Tiles:
    """The same tiles, in memory where they are no more than a limit of rows."""
    return ArrayTiles(gather(tiles)) if len(tiles) <= limit else tiles
