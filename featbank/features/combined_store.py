"""What stores that are made of several others share; they are read like one store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from featbank.errors import StoreError
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import xarray as xr

SEPARATOR = " + "


class CombinedStore(Store):
    """Rows of several stores, read as one store with one label set and one split scheme.

    It stands on no disk: tables and pictures come from its parts.

    Args:
        parts: The stores.

    Attributes:
        parts: The stores.
        separator: What stands between their paths.
        path: Their paths, joined; for messages and results.
        notes: What a reader must know beside its numbers.

    Raises:
        StoreError: Fewer than two stores, or one of them twice.
    """

    separator = SEPARATOR
    notes: tuple[str, ...] = ()

    def __init__(self, parts: Sequence[Store]) -> None:
        _require_different(parts)
        self.parts = tuple(parts)
        self.path = Path(self.separator.join(str(part.path) for part in parts))
        self._show = None

    @property
    def bbox(self) -> None:
        """None: boxes come from the parts."""
        return

    @property
    def crs(self) -> None:
        """None: boxes come from the parts."""
        return

    def to_pandas(self) -> pd.DataFrame:
        """Refused: tables come from the parts.

        Raises:
            StoreError: Always.
        """
        return self._refuse("a table")

    def to_xarray(self) -> xr.Dataset:
        """Refused: an xarray dataset is one store.

        Raises:
            StoreError: Always.
        """
        return self._refuse("an xarray dataset")

    def _refuse(self, what: str) -> NoReturn:
        raise StoreError(
            str(self.path),
            f"{len(self.parts)} stores read as one make no {what.split(maxsplit=1)[1]}",
            "one store",
            f"Take {what} from each of .parts.",
        )


def joined_words(parts: Sequence[Store], attribute: str, separator: str = SEPARATOR) -> str:
    """One attribute of several stores, each word once, joined."""
    return separator.join(dict.fromkeys(str(part.attributes.get(attribute, "")) for part in parts))


def called(part: Store, parts: Sequence[Store]) -> str:
    """The shortest name that tells a part from the others: its dataset, model, or both."""
    for told in (("dataset",), ("model",), ("model", "dataset")):
        names = [" of ".join(str(other.attributes[name]) for name in told) for other in parts]
        name = names[parts.index(part)]
        if names.count(name) == 1:
            return name
    return part.path.name


def _require_different(parts: Sequence[Store]) -> None:
    paths = [part.path.resolve() for part in parts]
    if len(paths) > 1 and len(set(paths)) == len(paths):
        return
    repeated = next((str(path) for path in paths if paths.count(path) > 1), "one store")
    raise StoreError(
        repeated,
        "is named twice" if len(paths) > 1 else "nothing to read it with",
        "two or more different stores",
        "Name other stores.",
    )
