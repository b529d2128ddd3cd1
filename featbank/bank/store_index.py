"""Stores wherever people put them under a bank's ``stores`` folder, and what each says it is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE_SUFFIX = ".zarr"
_DOCUMENT = "zarr.json"


@dataclass(frozen=True, kw_only=True)
class StoreNames:
    """What a store is called.

    Attributes:
        datasets: Names of its dataset, the newest first: a renamed folder has several.
        model: Name of its backbone.
        recipe_id: Id of its recipe; '' where it does not say.
    """

    datasets: tuple[str, ...]
    model: str
    recipe_id: str


def store_folders(root: Path) -> list[Path]:
    """Paths of all stores below a folder, sorted; a link counts as what it leads to.

    Args:
        root: A bank's ``stores`` folder; it need not exist.
    """
    return sorted(_walk(root, frozenset()))


def _walk(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        told = folder.stat()
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError:
        return
    # A link to a folder above would go on for ever.
    place = (told.st_dev, told.st_ino)
    if place in above:
        return
    for entry in entries:
        path = Path(entry.path)
        if not entry.is_dir():
            continue
        if path.suffix == STORE_SUFFIX or (path / _DOCUMENT).is_file():
            yield path
        else:
            yield from _walk(path, above | {place})


def store_names(path: Path) -> StoreNames:
    """What a store says it is; what it does not say, its path does."""
    told = _attributes(path)
    recipe_id = told.get("recipe_id")
    names = told.get("dataset_names") or [told.get("dataset")]
    known = tuple(str(name) for name in names if name) if isinstance(names, list) else ()
    return StoreNames(
        datasets=known or (path.parent.name,),
        model=str(told.get("model") or path.name.removesuffix(STORE_SUFFIX).rsplit("-", 1)[0]),
        recipe_id=recipe_id if isinstance(recipe_id, str) else "",
    )


def _attributes(path: Path) -> dict[str, Any]:
    try:
        content = json.loads((path / _DOCUMENT).read_bytes())
    except (OSError, ValueError):
        return {}
    told = content.get("attributes") if isinstance(content, dict) else None
    return told if isinstance(told, dict) else {}
