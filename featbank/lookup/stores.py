"""Finding the store that a command means: by path, by model and dataset, or the newest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.datasets import DATASETS
from featbank.errors import FeatbankError, MissingPathError, StoreError, UsageError
from featbank.file_names import folder_name
from featbank.store.state import metadata

if TYPE_CHECKING:
    from featbank.bank.bank import Bank


def find_store(
    bank: Bank, *, store: Path | None = None, model: str | None = None, dataset: str | None = None
) -> Path:
    """Path of the one store that is meant.

    Args:
        bank: Where to look.
        store: Path of a store; wins over the rest.
        model: As ``embed`` takes it.
        dataset: As ``embed`` takes it: a name, or a folder's path.

    Raises:
        MissingPathError: No such store.
        UsageError: Several stores match.
    """
    if store is not None:
        return store
    if model is None and dataset is None:
        return bank.newest()
    name = None if dataset is None else dataset_name(dataset)
    found = stores_of(bank, dataset=dataset, model=model)
    wanted = " and ".join(
        f"{what} '{value}'" for what, value in (("model", model), ("dataset", name)) if value
    )
    if not found:
        raise MissingPathError(
            str(bank.root),
            f"holds no store of {wanted}{_others(bank, dataset, model)}",
            "a store that 'featbank embed' has made",
            "Embed it first, or list the stores with 'featbank stores'.",
        )
    if len(found) > 1:
        raise UsageError(
            wanted,
            f"{len(found)} stores match: {', '.join(map(str, found))}",
            "one",
            f"Name it with --store{_newest_of(bank, found)}.",
        )
    if dataset is not None:
        _require_own_labels(bank, found[0], dataset)
    return found[0]


def _newest_of(bank: Bank, found: list[Path]) -> str:
    """Which of some stores was embedded last, where the bank knows."""
    try:
        newest = bank.newest()
    except FeatbankError:
        return ""
    return f"; embedded last was {newest}" if newest in found else ""


def _require_own_labels(bank: Bank, store: Path, dataset: str) -> None:
    """Refuse a folder's store that has the labels of a copy of it, embedded later.

    Raises:
        StoreError: Names the copy.
    """
    source = bank.source(store)
    labelled = source.get("labelled", {})
    own = labelled.get(str(Path(dataset).resolve())) if isinstance(labelled, dict) else None
    now = metadata(store)["attributes"].get("labels_sha256")
    if own is not None and own != now:
        raise StoreError(
            str(store),
            f"holds ids, labels and splits of {source.get('dataset')}, whose images are the same "
            "and which was embedded later",
            f"those of {dataset}",
            "Repeat its 'featbank embed', which embeds nothing, or name the store with --store.",
        )


def stores_of(bank: Bank, *, dataset: str | None, model: str | None = None) -> list[Path]:
    """Paths of the stores of a dataset, as ``embed`` takes it, and of a model.

    A name stands for all stores of datasets of this name. The path of a folder stands for those
    that were embedded from this very folder; where there are none, for those of its name whose own
    folder is gone, or is not known: a folder that was moved keeps its store, and another folder of
    the same name never stands for it.
    """
    if dataset is None:
        return bank.stores(model=model)
    found = bank.stores(dataset=dataset_name(dataset), model=model)
    if dataset in DATASETS or not (os.sep in dataset or Path(dataset).is_dir()):
        return found
    place = str(Path(dataset).resolve())
    known = {path: _places(bank, path) for path in found}
    of_place = [path for path in found if place in known[path]]
    if of_place or os.sep not in dataset:
        return of_place or found
    return [path for path in found if not any(Path(each).is_dir() for each in known[path])]


def of_other_folders(bank: Bank, dataset: str | None) -> set[str]:
    """Names of the stores of another folder that bears the name of the one that is meant."""
    if dataset is None:
        return set()
    meant = stores_of(bank, dataset=dataset)
    named = bank.stores(dataset=dataset_name(dataset))
    return {path.name for path in named if path not in meant}


def standing_store(bank: Bank, said: Path, recipe: str) -> Path | None:
    """Where the store of a result stands: as it says, in this bank, or moved; None if it is gone.

    Args:
        bank: Where to look.
        said: Path that the result names.
        recipe: Id of the store's recipe; '' where it is of several stores.
    """
    here = bank.stores_folder / said.parent.name / said.name
    for path in (said, here):
        if path.exists():
            return path
    return bank.store_of_recipe(recipe) if recipe else None


def dataset_name(dataset: str) -> str:
    """A dataset's name; a folder's path stands for its name."""
    return folder_name(dataset)


def _places(bank: Bank, store: Path) -> list[str]:
    """Folders that a store was embedded from, the newest first; none for named datasets."""
    source = bank.source(store)
    name = source.get("dataset")
    if not name or name in DATASETS:
        return []
    return list(dict.fromkeys([str(name), *map(str, source.get("places", []))]))


def _others(bank: Bank, dataset: str | None, model: str | None) -> str:
    """Whose stores of this name there are, where they are of other folders."""
    if dataset is None:
        return ""
    found = bank.stores(dataset=dataset_name(dataset), model=model)
    places = dict.fromkeys(place for path in found for place in _places(bank, path)[:1])
    return f" in {dataset} (those of this name are of {', '.join(places)})" if places else ""
