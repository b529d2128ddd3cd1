"""Where everything in a bank stands, which store is the newest, and where images were."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.bank.store_index import STORE_SUFFIX, store_folders, store_names
from featbank.errors import MissingPathError
from featbank.recipe import short_id

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["STORE_SUFFIX", "Bank", "bank_of", "write_atomically"]

STORES = "stores"


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
        """
        path = self._read("newest.json").get("store")
        if path is None or not (self.root / path).exists():
            raise MissingPathError(
                str(self.root),
                "this bank holds no newest store",
                "a store that 'featbank embed' has finished",
                "Run 'featbank embed' first, or name a store with --store or a bank with --bank.",
            )
        return self.root / str(path)

    def remember_newest(self, store: Path) -> None:
        """Name the store that commands without a store take."""
        self._write("newest.json", {"store": os.path.relpath(store, self.root)})

    def remember_source(self, store: Path, source: dict[str, Any]) -> None:
        """Keep where a store's images were, for pictures of chips; never part of a store."""
        key = os.path.relpath(store, self.root)
        self._write("sources.json", {**self._read("sources.json"), key: source})

    def source(self, store: Path) -> dict[str, Any]:
        """Where a store's images were; empty where the bank does not know.

        A store that was moved is known by its recipe.
        """
        kept = self._read("sources.json")
        found = kept.get(os.path.relpath(store, self.root))
        if found is None and (recipe := store_names(store).recipe_id):
            found = next((each for each in kept.values() if each.get("recipe_id") == recipe), None)
        return dict(found or {})

    def _read(self, name: str) -> dict[str, Any]:
        path = self.root / name
        if not path.exists():
            return {}
        content: dict[str, Any] = json.loads(path.read_text())
        return content

    def _write(self, name: str, content: dict[str, Any]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        write_atomically(self.root / name, json.dumps(content, indent=1, sort_keys=True).encode())


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


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    hidden = path.with_name(f".{path.name}.{os.getpid()}.partial")
    hidden.write_bytes(data)
    os.replace(hidden, path)
