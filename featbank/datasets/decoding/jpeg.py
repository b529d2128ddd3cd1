"""JPEG files: grey is one band, colour three; inks are refused."""

from __future__ import annotations

import numpy as np

from featbank.datasets.decoding.refusals import (
    FAULTS,
    refuse,
    refuse_undecoded,
    require_bytes,
    require_size,
)
from featbank.datasets.decoding.stored import Stored

# A Huffman code takes a bit at least, and each block of 8 × 8 pixels has one (ISO/IEC 10918-1, F).
_PIXELS_A_BYTE = 8 * 8 * 8
# Progressive files keep all coefficients in 16 bits beside the pixels.
_SAMPLE_BYTES = 3
_INKS = {"CMYK", "YCCK"}


def decode_jpeg(data: bytes, name: str) -> Stored:
    """Pixels as stored: the orientation in EXIF is for viewers, as it is to rasterio and Pillow.

    Raises:
        DecodeError: Damaged, cut short, too large, or of inks.
    """
    import simplejpeg

    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data)
    except FAULTS as error:
        refuse_undecoded(name, "JPEG", error)
    if space in _INKS:
        refuse(
            name,
            f"is a JPEG of inks ({space}), whose colours depend on a printer",
            "grey or RGB",
            "Convert it to RGB.",
        )
    bands = 1 if space == "Gray" else 3
    require_size(name, (height, width), bands=bands, sample_bytes=_SAMPLE_BYTES)
    require_bytes(name, (height, width), held=len(data), least=height * width / _PIXELS_A_BYTE)
    try:
        pixels = simplejpeg.decode_jpeg(data, colorspace="GRAY" if bands == 1 else "RGB")
    except FAULTS as error:
        refuse_undecoded(name, "JPEG", error)
    return Stored(np.asarray(pixels).transpose(2, 0, 1), bands == 3, is_plain=True)
