"""Finding the store that a command means: by path, by model and dataset, or the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.errors import MissingPathError, UsageError
from featbank.file_names import folder_name

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.bank.bank import Bank


def find_store(
    bank: Bank, *, store: Path | None = None, model: str | None = None, dataset: str | None = None
) -> Path:
    """Path of the one store that is meant.

    Args:
        bank: Where to look.
        store: Path of a store; wins over the rest.
        model: As ``embed`` takes it.
        dataset: As ``embed`` takes it; a folder's path stands for its name.

    Raises:
        MissingPathError: No such store.
        UsageError: Several stores match.
    """
    if store is not None:
        return store
    if model is None and dataset is None:
        return bank.newest()
    name = None if dataset is None else folder_name(dataset)
    found = bank.stores(dataset=name, model=model)
    wanted = " and ".join(
        f"{what} '{value}'" for what, value in (("model", model), ("dataset", name)) if value
    )
    if not found:
        raise MissingPathError(
            str(bank.root),
            f"holds no store of {wanted}",
            "a store that 'featbank embed' has made",
            "Embed it first, or list the stores with 'featbank stores'.",
        )
    if len(found) > 1:
        raise UsageError(
            wanted,
            f"{len(found)} stores match: {', '.join(map(str, found))}",
            "one",
            "Name it with --store.",
        )
    return found[0]
