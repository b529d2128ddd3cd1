"""Maps of features as Parquet files: two coordinates a sample, with recipe and quality."""

from __future__ import annotations

import contextlib
import json
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.disk import write_atomically
from featbank.errors import FeatbankError, FeatbankWarning, StoreError
from featbank.json_file import DamagedJson, parse_object, read_object
from featbank.parquet_file import as_parquet, read_parquet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from featbank.bank.bank import Bank
    from featbank.image import Array

_RECIPE, _QUALITY, _ID, _ENVIRONMENT = b"recipe", b"quality", b"id", b"environment"


@dataclass(frozen=True, kw_only=True)
class FeatureMap:
    """Features of n samples laid out in two dimensions.

    Attributes:
        id: Hash of the recipe.
        ids: (n,) sample ids, in the order of the store.
        xy: (n, 2) float32 coordinates.
        is_fitted: (n,) whether the layout was fitted on the sample; others were placed into it.
        recipe: What decides the coordinates: ``store`` (the store's recipe id), ``feature``,
            ``layer``, ``projection``, ``params``, ``seed``, ….
        quality: How far the map is to be believed, as JSON.
        environment: Versions of the libraries that made it; not part of the recipe.
    """

    id: str
    ids: Array
    xy: Array
    is_fitted: Array
    recipe: Mapping[str, Any]
    quality: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        from featbank.bank.map_html import map_html

        return map_html(self)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        recipe = self.recipe
        shown = f"{recipe.get('projection')} of {recipe.get('feature')}"
        return f"<FeatureMap {self.id[:8]}: {shown}, {len(self)} samples>"

    def to_pandas(self) -> pd.DataFrame:
        """One row a sample: ``sample_id``, ``x``, ``y``, ``is_fitted``."""
        import pandas as pd

        return pd.DataFrame(
            {
                "sample_id": self.ids,
                "x": self.xy[:, 0],
                "y": self.xy[:, 1],
                "is_fitted": self.is_fitted,
            }
        )


def map_path(bank: Bank, identifier: str) -> Path:
    """Path of a map."""
    return bank.root / "maps" / f"{identifier}.parquet"


def write_map(bank: Bank, found: FeatureMap) -> Path:
    """Write a map, replacing an earlier one of the same recipe."""
    import pyarrow as pa

    columns = {
        "sample_id": pa.array(found.ids.tolist(), pa.string()),
        "x": pa.array(found.xy[:, 0].astype(np.float32)),
        "y": pa.array(found.xy[:, 1].astype(np.float32)),
        "is_fitted": pa.array(found.is_fitted.astype(bool)),
    }
    metadata = {
        _ID: found.id.encode(),
        _RECIPE: json.dumps(found.recipe, sort_keys=True).encode(),
        _QUALITY: json.dumps(found.quality).encode(),
        _ENVIRONMENT: json.dumps(found.environment, sort_keys=True).encode(),
    }
    path = map_path(bank, found.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, as_parquet(pa.table(columns).replace_schema_metadata(metadata)))
    return path


def read_map(path: Path) -> FeatureMap:
    """A map as it was written.

    Raises:
        StoreError: The file is no map.
    """

    def damaged(found: str) -> StoreError:
        return StoreError(
            str(path), f"does not read as a map: it {found}", "a file of 'featbank map'",
            "Remove it and map again.",
        )  # fmt: skip

    table = read_parquet(path, damaged, columns=("sample_id", "x", "y", "is_fitted"))
    metadata = table.schema.metadata or {}
    try:
        found = FeatureMap(
            id=metadata[_ID].decode(),
            ids=np.array(table["sample_id"].to_pylist(), dtype=object),
            xy=np.column_stack([np.asarray(table["x"]), np.asarray(table["y"])]),
            is_fitted=np.asarray(table["is_fitted"]),
            recipe=parse_object(metadata[_RECIPE]),
            quality=parse_object(metadata[_QUALITY]),
            environment=parse_object(metadata.get(_ENVIRONMENT, b"{}")),
        )
    except (KeyError, ValueError, DamagedJson) as error:
        raise damaged(f"lacks what a map holds ({error})") from error
    if found.xy.dtype.kind != "f" or found.is_fitted.dtype.kind != "b":
        raise damaged("holds coordinates of another type")
    if not all(isinstance(sample, str) for sample in found.ids) or "store" not in found.recipe:
        raise damaged("does not tell what it is a map of")
    return found


def maps_of(bank: Bank, store_recipe: str) -> list[FeatureMap]:
    """All maps of a store, the newest first; a ``FeatbankWarning`` names each that is damaged.

    Args:
        bank: Where to look.
        store_recipe: Id of the store's recipe.
    """
    paths = (bank.root / "maps").glob("*.parquet")
    newest = sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)
    found = (each for path in newest if (each := _readable(path)) is not None)
    return [each for each in found if each.recipe["store"] == store_recipe]


def _readable(path: Path) -> FeatureMap | None:
    try:
        return read_map(path)
    except FeatbankError as error:
        warnings.warn(f"left out: {error}", FeatbankWarning, stacklevel=3)
        return None


def write_note(bank: Bank, identifier: str, key: str, content: Mapping[str, Any]) -> None:
    """Keep beside a map what was computed of it; a bank that cannot be written is left as it is."""
    path = _note_path(bank, identifier, key)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(content).encode())


def read_note(bank: Bank, identifier: str, key: str) -> dict[str, Any] | None:
    """What ``write_note`` kept; None where there is nothing that reads."""
    try:
        return read_object(_note_path(bank, identifier, key))
    except (OSError, DamagedJson):
        return None


def _note_path(bank: Bank, identifier: str, key: str) -> Path:
    return bank.root / "maps" / f"{identifier}.{key}.json"
