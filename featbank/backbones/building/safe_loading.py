"""Weights files to Python values: nothing in them is ever run, and refusals are in our own words.

torch's own refusals tell people how to load a file unsafely; none of its text is shown.

References:
    ``torch.serialization.safe_globals``; torch ``_weights_only_unpickler.py``.
"""

from __future__ import annotations

import argparse
import datetime
import decimal
import fractions
import importlib
import mmap
import pathlib
import pickle
import re
import struct
import types
import uuid
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from featbank.backbones.building.file_kinds import SAFETENSORS, file_kind, not_weights
from featbank.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Whatever damaged bytes make the readers raise; a true bug of ours would not raise inside them.
_DAMAGE = (
    *(ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, ImportError),
    *(LookupError, MemoryError, OSError, pickle.PickleError, RuntimeError, SafetensorError),
    *(struct.error, SystemError, TypeError, ValueError),
)
# Tensors that torch reads only after parts of it are imported, by a word of its refusal.
_SPREAD = {
    "DTensor": "tensors that are spread over processes (DTensor)",
    "torch.nested": "nested tensors",
}
_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")
_CLASS = re.compile(r"<(?:class|function) '?(\w+\.[\w.]+)")
_BYTEARRAY = re.compile(rb"c(__builtin__|builtins)\nbytearray\n")
_ZIP_START = b"PK\x03\x04"
_OPERAND = re.compile(r"Unsupported operand (\d+)")


def _plain_dict(*_factory: object) -> dict[Any, Any]:
    """In the place of ``defaultdict``: torch's reader fills plain dicts alone."""
    return {}


def _plain_list(*values: Any) -> list[Any]:  # noqa: ANN401 - pickled values
    """In the place of ``deque``, likewise, and of ``list``."""
    return list(_written_out(values))


def _plain_tuple(*values: Any) -> tuple[Any, ...]:  # noqa: ANN401 - pickled values
    """In the place of ``tuple``."""
    return tuple(_written_out(values))


def _plain_set(*values: Any) -> set[Any]:  # noqa: ANN401 - pickled values
    """In the place of ``set``."""
    return set(_written_out(values))


def _plain_frozenset(*values: Any) -> frozenset[Any]:  # noqa: ANN401 - pickled values
    """In the place of ``frozenset``."""
    return frozenset(_written_out(values))


def _written_out(values: tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
    """What a container is made of: a few bytes of another iterable may stand for gigabytes.

    Raises:
        TypeError: It is no list or tuple, whose items all stand in the file.
    """
    if not values:
        return ()
    if type(values[0]) not in (list, tuple):
        raise TypeError("a container of what is not written out")
    made: list[Any] | tuple[Any, ...] = values[0]
    return made


def _ends(*values: int) -> tuple[int, ...]:
    """In the place of ``range``: its ends, since ``Counter`` would count all between them."""
    return values


def _no_bytes() -> bytes:
    """Empty bytes, the only ones that pickles of torch name by their type."""
    return b""


def _array_types() -> tuple[Any, ...]:
    """NumPy's numbers, texts and dates; no type that holds Python objects."""
    kinds = {type(np.dtype(code)) for code in "?bBhHiIlLqQefdgFDGSUMm"}
    core = importlib.import_module("numpy._core.multiarray")
    old = [(getattr(core, f), f"numpy.core.multiarray.{f}") for f in ("scalar", "_reconstruct")]
    new = [(f, f"numpy._core.multiarray.{name.rpartition('.')[2]}") for f, name in old]
    return (*old, *new, np.ndarray, np.dtype, *sorted(kinds, key=lambda kind: kind.__name__))


# Values that scripts keep beside their tensors and that can do nothing: by name, for torch's list.
_INERT: tuple[Any, ...] = (
    argparse.Namespace,
    types.SimpleNamespace,
    (_plain_dict, "collections.defaultdict"),
    (_plain_list, "collections.deque"),
    (_no_bytes, "builtins.bytes"),
    (_plain_list, "builtins.list"),
    (_plain_tuple, "builtins.tuple"),
    (_plain_set, "builtins.set"),
    (_plain_frozenset, "builtins.frozenset"),
    (_ends, "builtins.range"),
    *(dict, int, float, bool, str, complex, slice),
    *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID),
    *(pathlib.PurePosixPath, pathlib.PureWindowsPath),
    # A path of another system cannot be made on this one; its pure form can.
    (pathlib.PurePosixPath, "pathlib.PosixPath"),
    (pathlib.PurePosixPath, "pathlib._local.PosixPath"),
    (pathlib.PureWindowsPath, "pathlib.WindowsPath"),
    (pathlib.PureWindowsPath, "pathlib._local.WindowsPath"),
    *_array_types(),
)


def load_values(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """What a weights file holds: tensors by name, or plain values around them.

    Raises:
        MissingPathError: There is no such file.
        WeightsError: A file of another kind, a damaged one, or one that holds more than tensors
            and plain values.
    """
    if file_kind(path) == SAFETENSORS:
        return _load_safetensors(path)
    return _load_torch(path)


def _load_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except _DAMAGE as error:
        raise not_weights(path, "it is cut short or damaged") from error
    return tensors


def _asks_for_room(path: Path) -> bool:
    """Whether a pickle names ``bytearray``: of its size alone a few bytes ask for gigabytes.

    torch's own list has it, and asks no other.
    """
    with path.open("rb") as file:
        # By how it begins, as torch tells them: other files may end as zip files do.
        if file.read(len(_ZIP_START)) == _ZIP_START:
            with zipfile.ZipFile(file) as archive:
                pickles = [n for n in archive.namelist() if n.endswith("data.pkl")]
                return any(_BYTEARRAY.search(archive.read(name)) for name in pickles)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            return bool(_BYTEARRAY.search(whole))


def _load_torch(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    if _asks_for_room(path):
        raise _refusal(path, "GLOBAL builtins.bytearray")
    listed = torch.serialization.get_safe_globals()
    # What somebody else has put on the list stays on it.
    ours = [each for each in _INERT if not _is_among(each, listed)]
    try:
        with (
            path.open("rb") as file,
            warnings.catch_warnings(),
            torch.serialization.safe_globals(ours),
        ):
            warnings.simplefilter("ignore")
            # By its path torch would judge a file by its suffix.
            return torch.load(file, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise _refusal(path, str(error)) from None


def _is_among(each: object, listed: Iterable[object]) -> bool:
    return any(each == other for other in listed)


def _refusal(path: Path, text: str) -> WeightsError:
    """Our own words for what torch refused or could not read."""
    for word, what in _SPREAD.items():
        if word in text:
            return not_weights(path, f"it holds {what}")
    found = _GLOBAL.search(text) or _CLASS.search(text)
    operand = _OPERAND.search(text)
    if found is None and operand is None:
        return not_weights(path, "it is cut short or damaged")
    if found is None:
        why = "its pickle has instructions that no plain torch.save writes"
    else:
        why = f"it asks for {found[1]}, which is neither a tensor nor a plain value"
    return WeightsError(
        str(path),
        f"does not load ({why})",
        "tensors, numbers, text, paths, dates, argparse.Namespace and NumPy values alone",
        "Where it was made, save the state dict alone: torch.save(model.state_dict(), path).",
    )
