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
_CLASSIC, _BIG = 42, 43
_ORDERS = {b"II": "<", b"MM": ">"}
# More pages than any chip has bands; a loop of directories ends here too.
_MAX_PAGES = 4096
# Texts and tables that describe one chip; GDAL's metadata of 1,000 bands is a tenth of it.
_MAX_VALUE_BYTES = 16 * 2**20


class DamagedTiff(ValueError):
    """The directory is not whole."""


class Form(NamedTuple):
    """How numbers and directories are written.

    Attributes:
        order: Byte order as ``struct`` names it.
        is_big: Whether this is BigTIFF.
    """

    order: str
    is_big: bool

    @property
    def entry(self) -> str:
        """Code, field type, count, and value or place."""
        return self.order + ("HHQ8s" if self.is_big else "HHI4s")

    @property
    def count(self) -> str:
        """Number of entries."""
        return self.order + ("Q" if self.is_big else "H")

    @property
    def place(self) -> str:
        """Offset inside the file."""
        return self.order + ("Q" if self.is_big else "I")


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
    form = _form(data[:8])
    at = _number(form.place, data, 8 if form.is_big else 4)
    found: list[Directory] = []
    seen: set[int] = set()
    while at:
        if at in seen or len(found) == _MAX_PAGES:
            raise DamagedTiff("its pages have no end")
        seen.add(at)
        block = _block(data, at, form)
        found.append(Directory(block, _values(data, _spans(block, form, wanted)), form))
        at = _number(form.place, block, len(block) - struct.calcsize(form.place))
    if not found:
        raise DamagedTiff("it has no page")
    return found


def read_tags(directory: Directory, wanted: frozenset[int]) -> dict[int, tuple[float, ...] | bytes]:
    """Values of the wanted tags that a directory has: numbers, or the bytes of a text."""
    form, found = directory.form, {}
    start = 0
    for code, kind, count, place in _entries(directory.block, form, wanted):
        size = struct.calcsize(form.order + _CODES[kind]) * count
        raw = place[:size]
        if size > len(place):
            raw, start = directory.values[start : start + size], start + size
        if code not in found:  # libtiff keeps the first of two as well
            is_text = kind == _TEXT
            found[code] = raw if is_text else struct.unpack(f"{form.order}{count}{_CODES[kind]}", raw)
    return found


@lru_cache(maxsize=8)
def _form(head: bytes) -> Form:
    order = _ORDERS.get(head[:2])
    if order is None or len(head) < 8:
        raise DamagedTiff("its header is cut short")
    (version,) = struct.unpack_from(f"{order}H", head, 2)
    if version not in {_CLASSIC, _BIG}:
        raise DamagedTiff("its header is damaged")
    return Form(order, version == _BIG)


def _number(code: str, data: bytes, at: int) -> int:
    try:
        return int(struct.unpack_from(code, data, at)[0])
    except struct.error:
        raise DamagedTiff("a directory is cut short") from None


def _block(data: bytes, at: int, form: Form) -> bytes:
    start = at + struct.calcsize(form.count)
    count = _number(form.count, data, at)
    end = start + count * struct.calcsize(form.entry) + struct.calcsize(form.place)
    if end > len(data):
        raise DamagedTiff("a directory is cut short")
    return data[start:end]


def _entries(
    block: bytes, form: Form, wanted: frozenset[int]
) -> list[tuple[int, int, int, bytes]]:
    entries = struct.iter_unpack(form.entry, block[: -struct.calcsize(form.place)])
    return [entry for entry in entries if entry[0] in wanted and entry[1] in _CODES and entry[2]]


@lru_cache(maxsize=64)
def _spans(block: bytes, form: Form, wanted: frozenset[int]) -> tuple[tuple[int, int], ...]:
    """Start and end of the values that do not stand in the directory itself."""
    spans = []
    for _, kind, count, place in _entries(block, form, wanted):
        size = struct.calcsize(form.order + _CODES[kind]) * count
        if size > len(place):
            start = struct.unpack(form.place, place)[0]
            spans.append((start, start + size))
    if sum(end - start for start, end in spans) > _MAX_VALUE_BYTES:
        raise DamagedTiff("its tags claim more bytes than a chip's could be")
    return tuple(spans)


def _values(data: bytes, spans: tuple[tuple[int, int], ...]) -> bytes:
    values = b"".join([data[start:end] for start, end in spans])
    if len(values) != sum([end - start for start, end in spans]):
        raise DamagedTiff("a tag's value is cut short")
    return values
