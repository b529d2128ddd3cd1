"""Directories of a TIFF file, classic or big, of either byte order: tags to numbers and texts.

Files of one dataset have the same directory but for places, so what a directory says is worked out
once and remembered by its bytes: reading the tags of the next file takes microseconds.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

# TIFF 6.0, section 2, and the BigTIFF design of Aware Systems: struct codes by field type.
_CODES = {
    1: "B",
    2: "c",
    3: "H",
    4: "I",
    6: "b",
    7: "B",
    8: "h",
    9: "i",
    11: "f",
    12: "d",
    13: "I",
    16: "Q",
    17: "q",
    18: "Q",
}
_TEXT = 2
# More pages than any chip has bands; a loop of directories ends here too.
_MAX_PAGES = 4096
# Texts and tables that describe one chip; GDAL's metadata of 1,000 bands is a tenth of a megabyte.
# What is remembered of directories stays below this times their number.
_MAX_VALUE_BYTES = 4 * 2**20
REMEMBERED = 32


class DamagedTiff(ValueError):
    """The directory is not whole."""


class Form(NamedTuple):
    """How numbers and directories are written.

    Attributes:
        order: Byte order as ``struct`` names it.
        start: Where the place of the first directory stands.
        number: Number of a directory's entries.
        entry: Code, field type, count, and value or place.
        place: Offset inside the file.
    """

    order: str
    start: int
    number: struct.Struct
    entry: struct.Struct
    place: struct.Struct


def _classic(order: str) -> Form:
    codes = ("H", "HHI4s", "I")
    return Form(order, 4, *(struct.Struct(order + code) for code in codes))


def _big(order: str) -> Form:
    codes = ("Q", "HHQ8s", "Q")
    return Form(order, 8, *(struct.Struct(order + code) for code in codes))


# By byte order mark and version number.
FORMS = {
    b"II*\x00": _classic("<"),
    b"MM\x00*": _classic(">"),
    b"II+\x00": _big("<"),
    b"MM\x00+": _big(">"),
}


class Directory(NamedTuple):
    """One directory.

    Attributes:
        block: Bytes of its entries and of the place of the next one.
        values: Bytes of the values that stand elsewhere, one after another.
        form: How both are written.
    """

    block: bytes
    values: bytes
    form: Form


def read_directories(data: bytes, wanted: frozenset[int]) -> list[Directory]:
    """All directories of the main chain.

    Args:
        data: The file.
        wanted: Tags whose values are read; others are left where they are.

    Raises:
        DamagedTiff: Cut short, or a chain without an end.
    """
    found: list[Directory] = []
    seen: set[int] = set()
    form = _form(data)
    at = _number(form.place, data, form.start)
    while at:
        if at in seen or len(found) == _MAX_PAGES:
            raise DamagedTiff("its pages have no end")
        seen.add(at)
        found.append(_directory(data, at, form, wanted))
        at = next_of(found[-1])
    if not found:
        raise DamagedTiff("it has no page")
    return found


def next_of(directory: Directory) -> int:
    """Where the next directory stands; 0 for none."""
    place = directory.form.place
    return int(place.unpack_from(directory.block, len(directory.block) - place.size)[0])


def read_tags(directory: Directory, wanted: frozenset[int]) -> dict[int, tuple[float, ...] | bytes]:
    """Values of the wanted tags that a directory has: numbers, or the bytes of a text."""
    form = directory.form
    found: dict[int, tuple[float, ...] | bytes] = {}
    start = 0
    for code, kind, count, place in _entries(directory.block, form, wanted):
        size = struct.calcsize(form.order + _CODES[kind]) * count
        raw = place[:size]
        if size > len(place):
            raw, start = directory.values[start : start + size], start + size
        if code not in found:  # libtiff keeps the first of two as well
            is_text = kind == _TEXT
            found[code] = (
                raw if is_text else struct.unpack(f"{form.order}{count}{_CODES[kind]}", raw)
            )
    return found


def _form(data: bytes) -> Form:
    form = FORMS.get(data[:4])
    if form is None:
        raise DamagedTiff("its header is damaged")
    return form


def _number(code: struct.Struct, data: bytes, at: int) -> int:
    try:
        return int(code.unpack_from(data, at)[0])
    except (struct.error, OverflowError):
        raise DamagedTiff("a directory is cut short") from None


def _directory(data: bytes, at: int, form: Form, wanted: frozenset[int]) -> Directory:
    count = _number(form.number, data, at)
    start = at + form.number.size
    end = start + count * form.entry.size + form.place.size
    if end > len(data):
        raise DamagedTiff("a directory is cut short")
    block = data[start:end]
    spans, size = spans_of(block, form, wanted)
    values = b"".join([data[first:last] for first, last in spans])
    if len(values) != size:
        raise DamagedTiff("a tag's value is cut short")
    return Directory(block, values, form)


def _entries(block: bytes, form: Form, wanted: frozenset[int]) -> list[tuple[int, int, int, bytes]]:
    entries = form.entry.iter_unpack(block[: -form.place.size])
    return [entry for entry in entries if entry[0] in wanted and entry[1] in _CODES and entry[2]]


@lru_cache(maxsize=REMEMBERED)
def spans_of(
    block: bytes, form: Form, wanted: frozenset[int]
) -> tuple[tuple[tuple[int, int], ...], int]:
    """Start and end of the values that do not stand in the directory, and their bytes in all."""
    spans = []
    for _, kind, count, place in _entries(block, form, wanted):
        size = struct.calcsize(form.order + _CODES[kind]) * count
        if size > len(place):
            start = form.place.unpack(place)[0]
            spans.append((start, start + size))
    whole = sum(end - start for start, end in spans)
    if whole > _MAX_VALUE_BYTES:
        raise DamagedTiff("its tags claim more bytes than a chip's could be")
    return tuple(spans), whole
