"""Image files to pixels, each as it says that it is meant; kinds are told by their first bytes.

Every file is asked for itself: layout, sample type, colours, opacity, pages, nodata, masks, scale
and offset. What changes the meaning of pixels is honoured, or the file is refused by name. Pixels
keep the orientation that they are stored in.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets.decoding.bmp import decode_bmp
from featbank.datasets.decoding.jpeg import decode_jpeg
from featbank.datasets.decoding.jpeg2000 import CODESTREAM, decode_jpeg2000
from featbank.datasets.decoding.meaning import NOTHING, Beside, Decoded, settle
from featbank.datasets.decoding.png import decode_png
from featbank.datasets.decoding.refusals import MAX_FILE_BYTES, refuse
from featbank.datasets.decoding.tiff import decode_tiff
from featbank.datasets.decoding.webp import decode_webp
from featbank.datasets.side_files import read_beside
from featbank.errors import DecodeError
from featbank.image import with_missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.datasets.decoding.stored import Stored
    from featbank.image import Array

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".jp2", ".j2k", ".jpx", ".jpc"}
)
_DECODERS: dict[bytes, Callable[[bytes, str], Stored]] = {
    b"\xff\xd8\xff": decode_jpeg,
    b"\x89PNG": decode_png,
    b"II*\x00": decode_tiff,
    b"MM\x00*": decode_tiff,
    b"II+\x00": decode_tiff,
    b"MM\x00+": decode_tiff,
    b"RIFF": decode_webp,
    b"\x00\x00\x00\x0c": decode_jpeg2000,
    CODESTREAM: decode_jpeg2000,
    b"BM": decode_bmp,
}
_LONGEST_MAGIC = 4
_BOX, _RIFF = b"\x00\x00\x00\x0cjP  ", b"WEBP"


@dataclass(frozen=True, kw_only=True)
class FileLayout:
    """What all files of one dataset have in common.

    Attributes:
        bands: Number of bands C.
        dtype: NumPy dtype name of the pixels as they are given.
        is_colour: Whether the bands are red, green and blue by the files' own word; a grey file
            among them is then given three equal bands.
        depth: Bits of a number where they are fewer than eight, else 8: 15 is white in four bits
            and black in eight.
        applies_scale: Whether scale and offset tags are applied. A publisher's own numbers stay.
        takes_indices: Whether a colour map is left aside: its indices are the data.
        opacity_is_band: Whether a last band that TIFF files call opacity is one of the bands.
        is_scaled: Whether the numbers are made by scale and offset tags.
        told_by: What says so, for messages.
    """

    bands: int
    dtype: str
    is_colour: bool = False
    depth: int = 8
    applies_scale: bool = True
    takes_indices: bool = False
    opacity_is_band: bool = False
    is_scaled: bool = False
    told_by: str = "the dataset"


def decode(data: bytes, *, name: str, layout: FileLayout, beside: Beside = NOTHING) -> Array:
    """Pixels of one file as (C, H, W).

    Args:
        data: The file's bytes.
        name: Name of the file, for messages.
        layout: What the dataset's files have in common.
        beside: What files beside it say.

    Returns:
        Native dtype; float32 or float64 where scale and offset were applied. A masked array with a
        mask of (C, H, W) where pixels are missing, else a plain one.

    Raises:
        DecodeError: Not an image, cut short, too large, of a kind that is not read, with another
            number of bands, or scaled where the others are not.
    """
    stored = _stored(data, name)
    if stored.is_plain and beside is NOTHING:
        pixels, is_scaled = stored.bands, False
    else:
        stored = stored._replace(colour_map=None) if layout.takes_indices else stored
        stored = _opacity_settled(stored, name, layout)
        settled = settle(stored, name, beside=beside, applies_scale=layout.applies_scale)
        pixels, is_scaled = settled.pixels, bool(settled.scales)
    if layout.is_colour and len(pixels) == 1 and not stored.is_colour:
        pixels = _as_colour(pixels)
    _require_alike(pixels, name, layout, depth=stored.depth, is_scaled=is_scaled)
    return pixels


def _opacity_settled(stored: Stored, name: str, layout: FileLayout) -> Stored:
    """What a TIFF calls opacity, as a band where the dataset's files mean one by it."""
    if layout.opacity_is_band:
        return stored.whole or stored
    if not stored.is_graded:
        return stored
    raise DecodeError(
        name,
        "calls its last band opacity, though it is neither none nor full in most pixels",
        f"opacity, as in {layout.told_by}",
        "Write it again as a plain band (GDAL: ALPHA=NO; tifffile: extrasamples 'unspecified').",
    )


def _require_alike(
    pixels: Array, name: str, layout: FileLayout, *, depth: int, is_scaled: bool
) -> None:
    if depth != layout.depth:
        raise DecodeError(
            name,
            f"has numbers of {depth} bits, where {layout.told_by} has {layout.depth}",
            f"{layout.depth} bits in every image",
            "Write all images in one type.",
        )
    if len(pixels) != layout.bands:
        count, height, width = pixels.shape
        raise DecodeError(
            name,
            f"holds {_bands(count)} of {height} × {width} px, where {layout.told_by} holds "
            f"{layout.bands}",
            f"{_bands(layout.bands)} in every image",
            "Remove the file or keep images of one kind in a folder.",
        )
    # Tags that differ among files of floats change no type: each is read as it says.
    if is_scaled != layout.is_scaled and str(pixels.dtype) != layout.dtype:
        own, other = ("has", "has none") if is_scaled else ("has no", "has them")
        raise DecodeError(
            name,
            f"{own} scale and offset tags, where {layout.told_by} {other}",
            "scale and offset tags in every image, or in none",
            "Write the tags into all files or remove them from all.",
        )


def _bands(count: int) -> str:
    return f"{count} band{'' if count == 1 else 's'}"


def examine(path: Path) -> Decoded:
    """One file and what was done to it, whatever its layout.

    Raises:
        DecodeError: The file does not decode.
        OSError: The file cannot be read.
    """
    data = read_whole(str(path), path.name)
    beside = read_beside(str(path), path.name)
    stored = _stored(data, path.name)
    is_band = stored.is_graded and stored.whole is not None
    stored = stored.whole if is_band and stored.whole else stored
    settled = settle(stored, path.name, beside=beside, applies_scale=True)
    return replace(settled, opacity_is_band=is_band)


def inspect(path: Path) -> FileLayout:
    """Layout of one file, read from its pixels and tags.

    Raises:
        DecodeError: The file does not decode.
        OSError: The file cannot be read.
    """
    return layout_of(examine(path))


def layout_of(decoded: Decoded) -> FileLayout:
    """Layout of files like one that was decoded."""
    pixels = decoded.pixels
    return FileLayout(
        bands=len(pixels),
        dtype=str(pixels.dtype),
        is_colour=decoded.is_colour,
        depth=decoded.depth,
        is_scaled=bool(decoded.scales),
        opacity_is_band=decoded.opacity_is_band,
    )


def read_whole(path: str, name: str) -> bytes:
    """All bytes of a file.

    Args:
        path: The file.
        name: Its name, for messages.

    Raises:
        DecodeError: It is longer than a chip's file may be.
        OSError: The disk or network failed.
    """
    # Plain system calls: a file object costs a tenth of what a small chip takes to decode.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        if size > MAX_FILE_BYTES:
            refuse(
                name,
                f"has {size / 2**20:,.0f} MiB",
                f"a chip of at most {MAX_FILE_BYTES // 2**20} MiB",
                "Cut it into chips, or remove it.",
            )
        data = os.read(descriptor, size)
        while len(data) < size and (more := os.read(descriptor, size - len(data))):
            data += more
    except OSError as error:
        error.filename = error.filename or path
        raise
    finally:
        os.close(descriptor)
    return data


def _stored(data: bytes, name: str) -> Stored:
    magic = data[:_LONGEST_MAGIC]
    decoder = _DECODERS.get(magic) or _DECODERS.get(magic[:3]) or _DECODERS.get(magic[:2])
    is_other = (decoder is decode_webp and data[8:12] != _RIFF) or (
        decoder is decode_jpeg2000 and not data.startswith((_BOX, CODESTREAM))
    )
    if decoder is None or is_other:
        raise DecodeError(
            name,
            f"starts with {data[:8]!r}" if data else "is empty",
            "a JPEG, PNG, TIFF, JPEG 2000, WebP or BMP image",
            "Remove or replace the file.",
        )
    return decoder(data, name)


def _as_colour(grey: Array) -> Array:
    # Grey is the colour whose red, green and blue are equal.
    if isinstance(grey, np.ma.MaskedArray):
        return with_missing(np.repeat(grey.data, 3, axis=0), np.repeat(grey.mask, 3, axis=0))
    return np.repeat(grey, 3, axis=0)
