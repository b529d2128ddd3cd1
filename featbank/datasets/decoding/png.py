"""PNG files: depths below eight bits are stretched to eight, as the format says they mean."""

from __future__ import annotations

import struct

import numpy as np

from featbank.datasets.decoding.refusals import (
    FAULTS,
    refuse,
    refuse_cut,
    refuse_undecoded,
    require_bytes,
    require_size,
)
from featbank.datasets.decoding.stored import Stored, split_opacity

# Width, height, depth and colour type of IHDR, which is always the first chunk (ISO/IEC 15948).
_HEADER = struct.Struct(">8s4x4sIIBB")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_COLOURED = {2, 3, 6}
# Deflate makes at most 258 bytes of two bits (RFC 1951).
_LARGEST_RATIO = 1032
# Eight bits or sixteen, and opacity made from transparent colours beside them.
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def decode_png(data: bytes, name: str) -> Stored:
    """Grey or RGB; opacity, also that of a transparent colour, says what is missing.

    Raises:
        DecodeError: Damaged, cut short, or too large.
    """
    import imagecodecs

    if len(data) < _HEADER.size:
        refuse_cut(name, "PNG")
    signature, chunk, width, height, depth, kind = _HEADER.unpack_from(data)
    if signature != _SIGNATURE or chunk != b"IHDR" or kind not in _CHANNELS:
        refuse_cut(name, "PNG")
    colours = 3 if kind in _COLOURED else 1
    require_size(name, (height, width), bands=colours + 1, sample_bytes=2 if depth == 16 else 1)
    least = height * (width * _CHANNELS[kind] * depth / 8 + 1) / _LARGEST_RATIO
    require_bytes(name, (height, width), held=len(data), least=least)
    try:
        pixels = np.asarray(imagecodecs.png_decode(data))
    except FAULTS as error:
        refuse_undecoded(name, "PNG", error)
    if pixels.shape[:2] != (height, width):
        refuse(name, "changes its size inside", "one size", "Replace it.")
    bands, is_clear = split_opacity(pixels, colours)
    return Stored(bands, kind in _COLOURED, is_clear)
