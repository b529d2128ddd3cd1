"""JPEG files: grey is one band, colour three; inks are refused."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets.decoding.refusals import (
    FAULTS,
    refuse,
    refuse_undecoded,
    require_bytes,
    require_size,
)
from featbank.datasets.decoding.stored import Stored

if TYPE_CHECKING:
    from featbank.image import Array

# A Huffman code takes a bit at least, and each block of 8 × 8 pixels has one (ISO/IEC 10918-1, F).
_PIXELS_A_BYTE = 8 * 8 * 8
# Progressive files keep all coefficients in 16 bits beside the pixels.
_SAMPLE_BYTES = 3
_INKS = {"CMYK", "YCCK"}
_END, _PLACE_BYTES = b"\xff\xd9", 4


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
    is_masked = _mask_behind(data, (height, width), name)
    bands_first = np.asarray(pixels).transpose(2, 0, 1)
    return Stored(bands_first, bands == 3, is_masked=is_masked, is_plain=is_masked is None)


def _mask_behind(data: bytes, size_px: tuple[int, int], name: str) -> Array | None:
    """Where GDAL's mask behind the image leaves pixels out; None without one.

    It stands between the end of the image and the last four bytes, which tell where that is (GDAL,
    frmts/jpeg/jpgdataset.cpp, CheckForMask): a bit a pixel, the lowest first, deflated; a few bytes
    may follow, since GDAL counts whole bytes a row.
    """
    end = int.from_bytes(data[-_PLACE_BYTES:], "little")
    is_place = len(data) // 2 <= end <= len(data) - _PLACE_BYTES
    if not is_place or data[end - len(_END) : end] != _END:
        return None
    count = size_px[0] * size_px[1]
    unpacked = zlib.decompressobj()
    try:
        bits = unpacked.decompress(data[end:-_PLACE_BYTES], -(-count // 8))
    except zlib.error as error:
        refuse_undecoded(name, "JPEG", error)
    if len(bits) != -(-count // 8):
        refuse(name, "holds a mask of another size behind the image", "its own", "Replace it.")
    is_there = np.unpackbits(np.frombuffer(bits, np.uint8), count=count, bitorder="little")
    is_missing: Array = is_there.reshape(size_px) == 0
    return is_missing
