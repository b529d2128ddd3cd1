"""Mapping a store: its samples in two dimensions, and how far that is to be believed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.bank import Bank
from featbank.bank.maps import FeatureMap, map_path, read_map, write_map
from featbank.lookup.stores import find_store
from featbank.projections import PROJECTIONS
from featbank.projections.projection import silent
from featbank.recipes.recipe import lines_sha256, recipe_id
from featbank.stages.map.faithfulness import belief, faithfulness
from featbank.stages.map.mapped_rows import (
    READ_ROWS,
    FeatureChoice,
    asked_rows,
    feature_choice,
    finite_rows,
    fitted_among,
    gather,
    held,
)
from featbank.stages.map.options import MapOptions, require_sound
from featbank.stages.map.purity import Purity, purity
from featbank.store.reader import Store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.knn.tiles import Tiles
    from featbank.projections.projection import Progress, Projected

__all__ = ["MapOptions", "MapReport", "map_features"]

# Grows when the same recipe gives other rows, samples to fit on, or quality.
ALGORITHM = 1
_LIBRARIES = ("featbank", "numpy", "scipy", "numba", "umap-learn", "threadpoolctl")
_ID_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class MapReport:
    """A map and what a reader must know of it.

    Attributes:
        map: Coordinates, recipe, quality.
        path: Where it stands.
        store: The store that it shows.
        purity: Neighbour purity of each class; None where the store holds no labels.
        is_new: Whether it was made just now, not found in the bank.
    """

    map: FeatureMap
    path: Path
    store: Store
    purity: Purity | None
    is_new: bool

    @property
    def belief(self) -> str:
        """One sentence on how far to believe the map."""
        return belief(self.map.quality)

    @property
    def believable(self) -> FeatureMap:
        """The map with the mean purity of its classes, which depends on labels, in its quality."""
        if self.purity is None:
            return self.map
        told = {"label_set": self.purity.label_set, **self.purity.means}
        return replace(self.map, quality={**self.map.quality, "purity": told})


def map_features(options: MapOptions, *, progress: Progress = silent) -> MapReport:
    """Lay the samples of a store out in two dimensions, and keep the map in the bank.

    A map that stands in the bank is read, not made again, unless the options say so. Up to
    ``fit_samples`` samples are laid out; of more, the rest is placed among them, tile by tile.

    Raises:
        FeatbankError: An unknown name, an unfinished store, fewer than two samples.
    """
    require_sound(options)
    bank = Bank(options.bank)
    spec = PROJECTIONS[options.projection]
    params = spec.params(options.params)
    found = find_store(bank, store=options.store, model=options.model, dataset=options.dataset)
    store = Store(found)
    choice, rows = feature_choice(store, options), asked_rows(store, options)
    if store.label_sets or options.labels:
        store.label_set_name(options.labels)
    recipe = _recipe(store, choice, rows, options) | {
        "projection": spec.name,
        "projection_algorithm": spec.algorithm,
        "params": params,
    }
    path = map_path(bank, recipe_id(recipe)[:_ID_DIGITS])
    is_new = options.again or not path.exists()
    if is_new:
        # A bank that cannot be written is told before the work, not after it.
        path.parent.mkdir(parents=True, exist_ok=True)
        write_map(bank, _make(store, choice, rows, recipe, progress))
    made = read_map(path)
    progress("purity", 0, 1)
    pure = purity(made, store, options.labels) if store.label_sets else None
    progress("purity", 1, 1)
    return MapReport(map=made, path=path, store=store, purity=pure, is_new=is_new)


def _recipe(
    store: Store, choice: FeatureChoice, rows: NDArray[np.intp], options: MapOptions
) -> dict[str, Any]:
    return {
        "algorithm": ALGORITHM,
        "store": store.attributes["recipe_id"],
        "feature": choice.name,
        "layer": choice.layer,
        "samples": lines_sha256(store.ids[rows].tolist()),
        "split": options.split,
        "fit_samples": min(options.fit_samples, len(rows)),
        "seed": options.seed,
    }


def _make(
    store: Store,
    choice: FeatureChoice,
    asked: NDArray[np.intp],
    recipe: dict[str, Any],
    progress: Progress,
) -> FeatureMap:
    rows = finite_rows(store, choice, asked)
    is_fitted = fitted_among(store, rows, recipe["fit_samples"])
    features = gather(choice.tiles(store, rows[is_fitted]))
    spec = PROJECTIONS[recipe["projection"]]
    layout = spec.fit(features, recipe["params"], recipe["seed"], progress)
    del features
    xy = np.empty((len(rows), 2), dtype=np.float32)
    xy[is_fitted] = layout.xy
    xy[~is_fitted] = _placed(layout, choice.tiles(store, rows[~is_fitted]), progress)
    tiles = held(choice.tiles(store, rows), recipe["fit_samples"])
    progress("quality", 0, 1)
    quality = faithfulness(tiles, xy, seed=recipe["seed"])
    progress("quality", 1, 1)
    return FeatureMap(
        id=recipe_id(recipe)[:_ID_DIGITS],
        ids=store.ids[rows],
        xy=xy,
        is_fitted=is_fitted,
        recipe=recipe,
        quality=asdict(quality),
        environment={name: version(name) for name in _LIBRARIES},
    )


def _placed(layout: Projected, tiles: Tiles, progress: Progress) -> Array:
    xy = np.empty((len(tiles), 2), dtype=np.float32)
    for start, tile in tiles.tiles(READ_ROWS):
        xy[start : start + len(tile)] = layout.place(tile)
        progress("placed", start + len(tile), len(tiles))
    return xy
