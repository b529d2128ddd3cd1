"""The map that a report shows: one of the bank, or one that is made now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.bank.maps import FeatureMap, maps_of
from featbank.errors import FeatbankError, UnknownNameError
from featbank.stages.map.run import MapOptions, map_features

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.bank.bank import Bank
    from featbank.store.reader import Store

    # Store and projection in, a map out; ``featbank.stages.map.run`` makes it.
    MakeMap = Callable[[Store, str], FeatureMap]

PROJECTIONS = ("umap", "pca")


def map_maker(bank: Path) -> MakeMap:
    """What makes a map where the bank holds none.

    Args:
        bank: Folder where the map is kept.
    """

    def make(store: Store, projection: str) -> FeatureMap:
        return map_features(MapOptions(projection=projection, store=store.path, bank=bank)).map

    return make


def find_map(
    bank: Bank, store: Store, asked: str | None, make_map: MakeMap | None
) -> tuple[FeatureMap | None, str]:
    """A map of a store, or why there is none.

    Args:
        bank: Where maps stand.
        store: The store.
        asked: As ``ReportOptions.map``.
        make_map: Makes one where the bank holds none; None makes none.

    Raises:
        UnknownNameError: A map is named by its id, and no map of the store has it.
    """
    if asked == "none":
        return None, "not asked for"
    kept = maps_of(bank, store.attributes["recipe_id"])
    if asked is not None and asked not in PROJECTIONS:
        return _named(kept, asked, store), ""
    fitting = [m for m in kept if asked is None or m.recipe.get("projection") == asked]
    if fitting:
        return fitting[0], ""
    if make_map is None:
        return None, "the bank holds no map of the store; make one with 'featbank map'"
    try:
        return make_map(store, asked or PROJECTIONS[0]), ""
    except FeatbankError as error:
        return None, str(error)
    except OSError as error:
        return None, f"{error.filename}: no map can be kept there ({error.strerror})"


def _named(kept: list[FeatureMap], asked: str, store: Store) -> FeatureMap:
    found = [each for each in kept if asked and each.id.startswith(asked)]
    if len(found) != 1:
        raise UnknownNameError(
            asked,
            f"{len(found) or 'no'} map{'s' if len(found) > 1 else ''} of {store.path.name} "
            f"{'have' if len(found) > 1 else 'has'} this id",
            f"umap, pca, none, or the id of one of {len(kept)} maps",
            f"Known: {', '.join(each.id[:12] for each in kept) or 'none'}.",
        )
    return found[0]
