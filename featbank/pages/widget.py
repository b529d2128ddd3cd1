"""Putting a store, its map and a probe's predictions together for the interactive scatter."""

from __future__ import annotations

from glob import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.maps import maps_of
from featbank.bank.results import read_predictions
from featbank.errors import FeatbankError, MissingPathError, StoreError, UsageError
from featbank.pages.colour_columns import ColourColumns
from featbank.pictures.chip_pictures import ChipPictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.bank.bank import Bank
    from featbank.bank.maps import FeatureMap
    from featbank.bank.results import Predictions
    from featbank.pages.scatter_widget import ScatterWidget
    from featbank.store.reader import Store


def scatter_widget(
    found: FeatureMap,
    store: Store,
    *,
    predictions: Predictions | None = None,
    **options: Any,  # noqa: ANN401 - traits of the widget
) -> ScatterWidget:
    """The interactive scatter of a map.

    Args:
        found: A map of the store.
        store: An open store; its chips are shown where its bank knows the images.
        predictions: What a probe said, to colour by right or wrong.
        **options: ``colour``, ``height`` in pixels, ``thumbnail_px``.

    Raises:
        UsageError: anywidget is not installed.
        StoreError: The map is of another store.
    """
    try:
        from featbank.pages.scatter_widget import ScatterWidget
    except ModuleNotFoundError as error:
        raise UsageError(
            "featbank.scatter",
            f"{error.name} is not installed",
            "the packages that notebooks need",
            "Run: pip install 'featbank[notebook]'.",
        ) from error
    columns = ColourColumns(store, rows_of(found, store), predictions)
    return ScatterWidget(found.ids, found.xy, columns, _pictures(store), **options)


def rows_of(found: FeatureMap, store: Store) -> NDArray[np.intp]:
    """(n,) row in the store of each sample of its map.

    Raises:
        StoreError: The map is of another store.
    """
    made_of = found.recipe.get("store", store.attributes["recipe_id"])
    row_of = {sample: row for row, sample in enumerate(store.ids.tolist())}
    is_inside = all(sample in row_of for sample in found.ids.tolist())
    if made_of != store.attributes["recipe_id"] or not is_inside:
        raise StoreError(
            str(store.path),
            f"the map was made of store {str(made_of)[:8]}",
            "a map of this store",
            "Map this store with featbank.map_store, or open the other.",
        )
    return np.array([row_of[sample] for sample in found.ids.tolist()], dtype=np.intp)


def newest_map(bank: Bank, store: Store) -> FeatureMap:
    """The map of a store that was made last.

    Raises:
        MissingPathError: The bank holds none.
    """
    maps = maps_of(bank, store.attributes["recipe_id"])
    if not maps:
        raise MissingPathError(
            str(bank.root),
            f"holds no map of {store.path.name}",
            "a map of the store",
            "Make one with featbank.map_store, or with 'featbank map'.",
        )
    return maps[0]


def predictions_of(bank: Bank, result: str) -> Predictions:
    """What a probe said of the samples that it was scored on.

    Args:
        bank: Where it is kept.
        result: Id of its result or the first digits of it.

    Raises:
        MissingPathError: No predictions of such a result.
        UsageError: Several results begin so.
    """
    paths = sorted(bank.predictions_path("x").parent.glob(f"{escape(result)}*.parquet"))
    if not paths:
        raise MissingPathError(
            result,
            f"{bank.root} holds no predictions of such a result",
            "an id in the column 'result' of a probe's table",
            "List them with featbank.read_results.",
        )
    if len(paths) > 1:
        raise UsageError(
            result, f"{len(paths)} results begin so", "more digits", "Give the whole id."
        )
    return read_predictions(paths[0])


def _pictures(store: Store) -> ChipPictures | str:
    try:
        return ChipPictures(store)
    except FeatbankError as error:
        return str(error)
