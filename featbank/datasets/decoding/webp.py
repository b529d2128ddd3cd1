"""WebP files: always RGB; opacity says what is missing."""

from __future__ import annotations

import struct

import numpy as np

from featbank.datasets.decoding.refusals import (
    FAULTS,
    cut_error,
    refuse,
    refuse_undecoded,
    require_size,
)
from featbank.datasets.decoding.stored import Stored, split_opacity

# RFC 9649: the first chunk stands behind 'RIFF', a length and 'WEBP'; its data 8 bytes later.
_CHUNK, _DATA = 12, 20
_HEADER_BYTES = 30
_MOVES = 0x02
_SIDE = 0x3FFF


def decode_webp(data: bytes, name: str) -> Stored:
    """Red, green and blue.

    Raises:
        DecodeError: Damaged, cut short, too large, or an animation.
    """
    import imagecodecs

    if len(data) < _HEADER_BYTES:
        raise cut_error(name, "WebP")
    size_px = _size(data, name)
    require_size(name, size_px, bands=4)
    try:
        pixels = np.asarray(imagecodecs.webp_decode(data))
    except FAULTS as error:
        refuse_undecoded(name, "WebP", error)
    if pixels.shape[:2] != size_px:
        refuse(name, "changes its size inside", "one size", "Replace it.")
    bands, is_clear = split_opacity(pixels, 3)
    return Stored(bands, True, is_clear)


def _size(data: bytes, name: str) -> tuple[int, int]:
    kind = data[_CHUNK : _CHUNK + 4]
    if kind == b"VP8X":
        if data[_DATA] & _MOVES:
            refuse(name, "is an animation", "one image", "Keep one frame of it.")
        width = int.from_bytes(data[_DATA + 4 : _DATA + 7], "little") + 1
        return int.from_bytes(data[_DATA + 7 : _DATA + 10], "little") + 1, width
    if kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, _DATA + 1)
        return (packed >> 14 & _SIDE) + 1, (packed & _SIDE) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, _DATA + 6)
        return height & _SIDE, width & _SIDE
    raise cut_error(name, "WebP")
