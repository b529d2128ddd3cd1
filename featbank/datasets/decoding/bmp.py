"""Windows bitmaps: grey where the colour map is a grey ramp, else RGB."""

from __future__ import annotations

import io
import struct

import numpy as np

from featbank.datasets.decoding.refusals import FAULTS, cut_error, refuse_undecoded, require_size
from featbank.datasets.decoding.stored import Stored, split_opacity

# The second header starts behind the file's 14 bytes; the oldest one has 12 bytes and short sides.
_HEADER, _OLDEST = 14, 12


def decode_bmp(data: bytes, name: str) -> Stored:
    """Pixels through the colour map; opacity says what is missing.

    Raises:
        DecodeError: Damaged, cut short, or too large.
    """
    from PIL import Image

    require_size(name, _size(data, name), bands=4)
    try:
        with Image.open(io.BytesIO(data), formats=["BMP"]) as image:
            is_colour = image.mode not in {"1", "L"}
            mode = image.mode if image.mode in {"L", "RGB", "RGBA"} else "RGB"
            pixels = np.asarray(image.convert(mode if is_colour else "L"))
    except FAULTS as error:
        refuse_undecoded(name, "BMP", error)
    bands, is_clear = split_opacity(pixels, 3 if is_colour else 1)
    return Stored(bands, is_colour, is_clear)


def _size(data: bytes, name: str) -> tuple[int, int]:
    try:
        (length,) = struct.unpack_from("<I", data, _HEADER)
        sides = "<HH" if length == _OLDEST else "<ii"
        width, height = struct.unpack_from(sides, data, _HEADER + 4)
    except struct.error:
        raise cut_error(name, "BMP") from None
    # Rows from the top down are marked by a negative height.
    return abs(height), width
