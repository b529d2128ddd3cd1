"""Where everything in a bank stands, which store is the newest, and where images were."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.bank.lock import changing
from featbank.bank.store_index import STORE_SUFFIX, store_folders, store_names

# Named here too, where all writers of a bank look for it.
from featbank.disk import write_atomically as write_atomically
from featbank.errors import FeatbankWarning, MissingPathError, StoreError
from featbank.json_file import DamagedJson, read_object
from featbank.recipes.recipe import short_id

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["STORE_SUFFIX", "Bank", "bank_of", "write_atomically"]

STORES = "stores"
# What to do where a file of the bank is damaged; no store depends on one.
_DO = {
    "newest.json": "Name a store with --store, or remove the file: the next 'embed' writes it.",
    "sources.json": "Remove it and repeat the 'featbank embed' of the store, which embeds nothing.",
}


@dataclass(frozen=True)
class Bank:
    """One bank.

    Args:
        root: Its folder; it need not exist before something is written.
    """

    root: Path

    def _repr_html_(self) -> str:
        from featbank.bank.bank_html import bank_html

        return bank_html(self)

    @property
    def stores_folder(self) -> Path:
        """Folder of all stores, one folder a dataset inside."""
        return self.root / STORES

    def store_path(self, *, dataset: str, model: str, recipe: str) -> Path:
        """Path of the store that a recipe makes."""
        name = f"{_in_file_names(model)}-{short_id(recipe)}{STORE_SUFFIX}"
        return self.stores_folder / dataset / name

    def result_path(self, result: str) -> Path:
        """Path of one result's rows."""
        return self.root / "results" / f"{result}.parquet"

    def predictions_path(self, result: str) -> Path:
        """Path of one result's predictions."""
        return self.root / "predictions" / f"{result}.parquet"

    def stores(self, *, dataset: str | None = None, model: str | None = None) -> list[Path]:
        """Paths of the stores of a dataset and a model, sorted; None stands for any.

        Stores say themselves what they are of; people may have moved or renamed their folders.
        """
        found = store_folders(self.stores_folder)
        if dataset is None and model is None:
            return found
        wanted = None if model is None else _in_file_names(model)
        told = {path: store_names(path) for path in found}
        return [
            path
            for path, names in told.items()
            if (dataset is None or dataset in names.datasets)
            and wanted in (None, _in_file_names(names.model))
        ]

    def store_of_recipe(self, recipe: str, *, usual: Path | None = None) -> Path | None:
        """Path of the store of a recipe, wherever it stands under ``stores``; None without one.

        Args:
            recipe: Id of the recipe.
            usual: Where it stands unless somebody moved it; looked at first.
        """
        if usual is not None and usual.exists():
            return usual
        found = store_folders(self.stores_folder)
        # A store keeps the digits of its recipe in its name, unless it was renamed.
        found.sort(key=lambda path: short_id(recipe) not in path.name)
        return next((path for path in found if store_names(path).recipe_id == recipe), None)

    def newest(self) -> Path:
        """The store that the last successful ``embed`` named.

        Raises:
            MissingPathError: Nothing was embedded into this bank.
            StoreError: The file that names it is damaged.
        """
        name = "newest.json"
        path = self._read(name).get("store") or "" if (self.root / name).exists() else None
        if path is not None and not (isinstance(path, str) and path.endswith(STORE_SUFFIX)):
            raise self._damaged(name, "names no store")
        if path is None or not (self.root / path).exists():
            gone = "" if path is None else f": {name} names {path}, which is gone"
            raise MissingPathError(
                str(self.root),
                f"this bank holds no newest store{gone}",
                "a store that 'featbank embed' has finished",
                "Run 'featbank embed' first, or name a store with --store or a bank with --bank.",
            )
        return self.root / path

    def remember_newest(self, store: Path) -> None:
        """Name the store that commands without a store take."""
        self._write("newest.json", {"store": os.path.relpath(store, self.root)})

    def remember_source(self, store: Path, source: dict[str, Any]) -> None:
        """Keep where a store's images were, for pictures of chips; never part of a store.

        Several processes may do so at once: what each keeps stays. A file that is damaged is set
        aside, and a ``FeatbankWarning`` says so.
        """
        self._add("sources.json", os.path.relpath(store, self.root), source)

    def source(self, store: Path) -> dict[str, Any]:
        """Where a store's images were; empty where the bank does not know.

        A store that was moved is known by its recipe.

        Raises:
            StoreError: The file that tells it is damaged.
        """
        kept = self._read("sources.json")
        found = kept.get(os.path.relpath(store, self.root))
        if found is None and (recipe := store_names(store).recipe_id):
            whole = (each for each in kept.values() if isinstance(each, dict))
            found = next((each for each in whole if each.get("recipe_id") == recipe), None)
        if not isinstance(found, dict | None):
            raise self._damaged("sources.json", f"holds no source of {store.name}")
        return dict(found or {})

    def _read(self, name: str) -> dict[str, Any]:
        path = self.root / name
        if not path.exists():
            return {}
        try:
            return read_object(path)
        except DamagedJson as error:
            raise self._damaged(name, str(error)) from error

    def _write(self, name: str, content: dict[str, Any]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        write_atomically(self.root / name, json.dumps(content, indent=1, sort_keys=True).encode())

    def _add(self, name: str, key: str, value: dict[str, Any]) -> None:
        """Add an entry to a file while no other process changes it."""
        self.root.mkdir(parents=True, exist_ok=True)
        with changing(self.root / name):
            try:
                content = self._read(name)
            except StoreError as error:
                content = self._set_aside(name, error)
            self._write(name, {**content, key: value})

    def _set_aside(self, name: str, error: StoreError) -> dict[str, Any]:
        aside = self.root / f"{name}.damaged"
        os.replace(self.root / name, aside)
        warnings.warn(
            f"{error.subject}: {error.found}; begun anew, the former is {aside.name}",
            FeatbankWarning,
            stacklevel=4,
        )
        return {}

    def _damaged(self, name: str, found: str) -> StoreError:
        return StoreError(str(self.root / name), found, "what 'featbank embed' wrote", _DO[name])


def bank_of(store: Path) -> Bank:
    """The bank that a store's path stands in, wherever under ``<bank>/stores``."""
    for path in (store.absolute(), store.resolve()):
        above = [folder for folder in path.parents if folder.name == STORES]
        if above:
            return Bank(above[0].parent)
    return Bank(store.resolve().parent.parent.parent)


def _in_file_names(model: str) -> str:
    """A model's name without what file systems and shells trip over: ``hf:a/b`` -> ``hf-a--b``."""
    return model.replace(":", "-").replace("/", "--")
