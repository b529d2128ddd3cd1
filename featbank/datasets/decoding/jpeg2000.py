"""JPEG 2000: JP2 files and bare codestreams; an opacity channel says what is missing."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from featbank.datasets.decoding.refusals import (
    FAULTS,
    cut_error,
    refuse,
    refuse_undecoded,
    require_size,
)
from featbank.datasets.decoding.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Iterator

CODESTREAM = b"\xff\x4f\xff\x51"
# Sides and origin of the size marker, and its number of components (ISO/IEC 15444-1, A.5.1).
_SIZES = struct.Struct(">4s2x2xIIII16xH")
# Enumerated colour spaces (ISO/IEC 15444-1, I.5.3.3; ITU-T T.801, M.11.7.3.1).
_SRGB, _GREY = 16, 17
_OTHER_SPACES = {12: "CMYK", 14: "CIELab", 18: "sYCC", 24: "e-sYCC"}
# Kinds of channels in the definition box: opacity, and opacity that colours were multiplied by.
_OPACITY = {1, 2}
# The decoder keeps numbers as 32 bits.
_SAMPLE_BYTES = 4
_HEADER_BOXES = 64


class Codestream(NamedTuple):
    """What the head of a codestream says.

    Attributes:
        size_px: (H, W).
        components: Number of components.
        is_even: Whether all components have one size, depth and sign.
    """

    size_px: tuple[int, int]
    components: int
    is_even: bool


class _CodestreamHeader(NamedTuple):
    start: int
    space: int | None = None
    opacity: int | None = None
    has_map: bool = False


def decode_jpeg2000(data: bytes, name: str) -> Stored:
    """Bands as stored.

    Raises:
        DecodeError: Damaged, cut short, too large, or in a colour space of printers or video.
    """
    import imagecodecs

    header = _header(data, name)
    stream = read_codestream(data[header.start :], name)
    _require_plain(header, stream, name)
    require_size(name, stream.size_px, bands=stream.components, sample_bytes=_SAMPLE_BYTES)
    try:
        pixels = np.asarray(imagecodecs.jpeg2k_decode(data))
    except FAULTS as error:
        refuse_undecoded(name, "JPEG 2000", error)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3 or pixels.shape[:2] != stream.size_px:
        refuse(name, f"decodes to {pixels.shape}", "its own size", "Replace it.")
    return _stored(pixels, header)


def read_codestream(data: bytes, name: str) -> Codestream:
    """Sizes by the head of a codestream.

    Raises:
        DecodeError: It is none, or cut short.
    """
    try:
        magic, right, bottom, left, top, count = _SIZES.unpack_from(data)
        forms = set(struct.iter_unpack("3s", data[_SIZES.size : _SIZES.size + 3 * count]))
    except struct.error:
        raise cut_error(name, "JPEG 2000") from None
    if magic != CODESTREAM or len(data) < _SIZES.size + 3 * count:
        raise cut_error(name, "JPEG 2000")
    is_even = len(forms) == 1 and next(iter(forms))[0][1:] == b"\x01\x01"
    return Codestream((bottom - top, right - left), count, is_even)


def _require_plain(header: _CodestreamHeader, stream: Codestream, name: str) -> None:
    if header.space in _OTHER_SPACES:
        space = _OTHER_SPACES[header.space]
        refuse(name, f"is in the colour space {space}", "grey, RGB or bands", "Convert it to RGB.")
    if header.has_map:
        refuse(name, "is a JPEG 2000 with a colour map", "grey, RGB or bands", "Convert it to RGB.")
    if not stream.is_even:
        refuse(
            name,
            "has components of several sizes or depths",
            "bands of one size and depth",
            "Write each as a file of its own.",
        )


def _stored(pixels: np.ndarray, header: _CodestreamHeader) -> Stored:
    bands = pixels.transpose(2, 0, 1)
    is_clear = None
    if header.opacity is not None and header.opacity < len(bands) > 1:
        is_clear = bands[header.opacity] == 0
        bands = np.delete(bands, header.opacity, axis=0)
    is_colour = len(bands) == 3 and header.space in {_SRGB, None} and bands.dtype == np.uint8
    return Stored(bands, is_colour, is_clear)


def _header(data: bytes, name: str) -> _CodestreamHeader:
    if data.startswith(CODESTREAM):
        return _CodestreamHeader(0)
    header = _CodestreamHeader(0)
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"jp2c":
            return header._replace(start=start)
        if kind == b"jp2h":
            header = _described(data, header, start, end)
    raise cut_error(name, "JPEG 2000")


def _described(data: bytes, header: _CodestreamHeader, start: int, end: int) -> _CodestreamHeader:
    for kind, first, last in _boxes(data, start, end):
        box = data[first:last]
        # Later colour boxes say the same in another way; method 1 is an enumerated space.
        if kind == b"colr" and len(box) >= 7 and box[0] == 1 and header.space is None:
            header = header._replace(space=int.from_bytes(box[3:7], "big"))
        elif kind == b"pclr":
            header = header._replace(has_map=True)
        elif kind == b"cdef":
            channels = struct.iter_unpack(">HHH", box[2 : 2 + (len(box) - 2) // 6 * 6])
            found = [channel for channel, what, _ in channels if what in _OPACITY]
            header = header._replace(opacity=found[0] if found else None)
    return header


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the boxes between two places (ISO/IEC 15444-1, I.4)."""
    for _ in range(_HEADER_BOXES):
        if start + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, start)
        first = start + 8
        if length == 1 and first + 8 <= end:
            (length,) = struct.unpack_from(">Q", data, first)
            first += 8
        last = end if length == 0 else start + length
        if last < first:
            return
        yield kind, first, min(last, end)
        start = last
