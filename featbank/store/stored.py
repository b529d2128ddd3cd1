"""Reading what a store holds, from files that may be damaged or from anyone."""

from __future__ import annotations

import errno
import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from featbank.errors import FeatbankError, StoreError
from featbank.json_file import DamagedJson, read_object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from featbank.image import Array

# What zarr and its codecs raise for metadata or chunks that are no more what was written.
_DAMAGE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    EOFError,
    MemoryError,
    AssertionError,
    OSError,
    # A damaged shard index overflows, which whoever asked for it hears as an error.
    RuntimeWarning,
)
_DOCUMENT = "zarr.json"
_EXTENT = ("shape", "chunk_grid")
# An axis of a store that is not finished, whose metadata nothing confirms: no archive of chips
# is as long.
_MOST_UNTOLD = 1 << 30
_GONE = (None, errno.ENOENT, errno.ENOTDIR, errno.EISDIR)
# Attributes that readers take, by the kind of their value; a list is one of texts or numbers.
_KINDS: dict[str, type] = {
    "recipe": dict,
    "recipe_id": str,
    "dataset": str,
    "model": str,
    "weights": str,
    "label_sets": list,
    "split_schemes": list,
    "default_feature": str,
    "command": str,
    "notes": list,
}
# Parts of the recipe that readers look into.
_IN_RECIPE: dict[str, type] = {"dataset": dict, "model": dict, "input": dict, "features": list}


class _MissingAttributeError(StoreError, KeyError):
    """An attribute that is not there; a KeyError to whoever would do without it."""


class Told(dict[str, Any]):
    """Attributes of a store; one that is asked for and not there is named, with its file.

    Args:
        values: The attributes.
        document: The file that holds them.
        above: Where they stand in it, for messages.
    """

    def __init__(self, values: dict[str, Any], document: Path, above: str = "") -> None:
        super().__init__(
            {
                name: Told(value, document, f"{above}{name}.") if isinstance(value, dict) else value
                for name, value in values.items()
            }
        )
        self._document, self._above = document, above

    def __missing__(self, name: str) -> Any:  # noqa: ANN401 - never returns
        told = damaged(self._document, f"lacks the attribute '{self._above}{name}'")
        raise _MissingAttributeError(*told.__reduce__()[1])

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def read_document(document: Path) -> dict[str, Any]:
    """The metadata document of a store's group, its attributes a mapping.

    Raises:
        StoreError: It is damaged.
    """
    try:
        content = read_object(document)
    except DamagedJson as error:
        raise damaged(document, str(error)) from error
    attributes = content.get("attributes")
    if not isinstance(attributes, dict):
        raise damaged(document, "holds no attributes of a store")
    return {**content, "attributes": Told(attributes, document)}


def require_kinds(content: dict[str, Any], document: Path) -> None:
    """Refuse attributes of another kind than readers take.

    Raises:
        StoreError: Names the first.
    """
    attributes = content["attributes"]
    recipe = attributes.get("recipe")
    wrong = [name for name, kind in _KINDS.items() if not _fits(attributes.get(name), kind)]
    if isinstance(recipe, dict):
        wrong += [f"recipe.{n}" for n, kind in _IN_RECIPE.items() if not _fits(recipe.get(n), kind)]
    if wrong:
        raise damaged(document, f"holds no true '{wrong[0]}'")


def _fits(value: Any, kind: type) -> bool:  # noqa: ANN401 - any JSON value
    if value is None:
        return True
    if kind is list:
        return isinstance(value, list) and all(isinstance(each, str | int) for each in value)
    return isinstance(value, kind)


def stored_array(store: Path, name: str) -> zarr.Array[Any]:
    """One array as it stands on disk; nothing is read yet.

    Raises:
        StoreError: It is missing or damaged.
    """
    _require_agreed(store, name)
    with reading(store, name):
        return zarr.open_array(store / name, mode="r", zarr_format=3)


def stored_values(store: Path, name: str) -> Array:
    """One array, read.

    Raises:
        StoreError: It is missing or damaged.
    """
    array = stored_array(store, name)
    with reading(store, name):
        return np.asarray(array[...])


def _require_agreed(store: Path, name: str) -> None:
    """Refuse an array whose extent is another than the finished store's own metadata has it.

    A number that is damaged there would have millions of rows read that nobody wrote.
    """
    document = store / name / _DOCUMENT
    if not document.is_file():
        raise damaged(store / name, "is missing")
    try:
        whole, own = read_object(store / _DOCUMENT), read_object(document)
    except DamagedJson as error:
        raise damaged(store / name, f"does not read: its metadata {error}") from error
    held = whole.get("consolidated_metadata")
    told = held.get("metadata") if isinstance(held, dict) else None
    entry = told.get(name) if isinstance(told, dict) else None
    if entry is None:
        most, extent = _MOST_UNTOLD, own.get("shape")
        is_so = isinstance(extent, list) and all(isinstance(n, int) and n < most for n in extent)
    else:
        is_so = isinstance(entry, dict) and all(entry.get(k) == own.get(k) for k in _EXTENT)
    if not is_so:
        raise damaged(document, "tells another extent than the store was written with")
    if entry is not None and (lost := _lost_chunk(store / name, own)):
        raise damaged(lost, "is missing")


def _lost_chunk(array: Path, told: dict[str, Any]) -> Path | None:
    """A chunk file that is gone, of an array of a finished store; None where all are there.

    All chunks are written, those of nothing but fill values too; zarr would read a lost one, as an
    interrupted copy leaves it, as fill values: ids as '', valid samples as refused.
    """
    try:
        sides = told["chunk_grid"]["configuration"]["chunk_shape"]
        counts = [-(-n // side) for n, side in zip(told["shape"], sides, strict=True)]
        if told["chunk_key_encoding"] != {"name": "default", "configuration": {"separator": "/"}}:
            return None
    except (LookupError, TypeError, ValueError, ZeroDivisionError):
        return None
    keys = itertools.product(*(map(str, range(count)) for count in counts))
    paths = (array.joinpath("c", *key) for key in keys)
    return next((path for path in paths if not path.is_file()), None)


@contextmanager
def reading(store: Path, name: str) -> Iterator[None]:
    """Tell of damage that shows while an array is read, by the array's name.

    Raises:
        StoreError: It is missing or damaged.
    """
    try:
        yield
    except FeatbankError:
        raise
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno not in _GONE:
            raise
        said = (str(error).splitlines() or [""])[0][:120]
        raise damaged(store / name, f"does not read ({type(error).__name__}: {said})") from error


def damaged(path: Path, found: str) -> StoreError:
    """The one error of a store whose files are not what was written."""
    return StoreError(
        str(path),
        found,
        "what 'featbank embed' wrote",
        "Copy the store again, or remove it and embed again.",
    )
