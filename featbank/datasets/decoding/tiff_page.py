"""What one page of a TIFF says of its pixels, by its tags alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from featbank.datasets.decoding.gdal_metadata import NONE, GdalMetadata, parse_tag
from featbank.datasets.decoding.tiff_directory import (
    REMEMBERED,
    Directory,
    read_directories,
    read_tags,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array

# TIFF 6.0 and its supplements; GDAL's two; SGI's depth.
_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _BITS = 254, 255, 256, 257, 258
_COMPRESSION, _PHOTOMETRIC, _DESCRIPTION, _SAMPLES, _ROWS = 259, 262, 270, 277, 278
_PLANAR, _COLOUR_MAP, _TILE_WIDTH, _TILE_HEIGHT = 284, 320, 322, 323
_STRIP_BYTES, _TILE_BYTES, _EXTRA, _FORMAT, _DEPTH = 279, 325, 338, 339, 32997
_SUBSAMPLING = 530
_GDAL_METADATA, _GDAL_NODATA = 42112, 42113
WANTED = frozenset(
    {_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _DESCRIPTION}
    | {_SAMPLES, _ROWS, _PLANAR, _COLOUR_MAP, _TILE_WIDTH, _TILE_HEIGHT, _STRIP_BYTES}
    | {_TILE_BYTES, _EXTRA, _FORMAT, _DEPTH, _SUBSAMPLING, _GDAL_METADATA, _GDAL_NODATA}
)
# Bits of the subfile tag, and values of its elder.
_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2
_MASK_PHOTOMETRIC = 4
_PLANES = 2
_GREY, _PALETTE = 1, 3


class TiffPage(NamedTuple):
    """Tags of one page.

    Attributes:
        size_px: (H, W).
        samples: Numbers a pixel.
        bits: Bits of each sample.
        formats: Sample format of each (1 unsigned, 2 signed, 3 real, 5 and 6 complex).
        is_planar: Whether samples stand plane by plane.
        compression: Code of the compression.
        photometric: Code of the colours.
        extra: Meaning of each sample beyond the colours (0 unspecified, 1 and 2 opacity).
        tile_px: (H, W) of tiles; None for strips.
        ends_short: Whether the last strip has fewer rows than the others.
        role: ``image``, ``reduced`` or ``mask``.
        is_sparse: Whether parts have no bytes at all.
        depth: Slices of a volume; 1 for an image.
        colour_map: (K, 3) 16-bit red, green, blue; None without.
        nodata: Text of the missing number; None without.
        metadata: What GDAL's tag says.
        description: First bytes of the description.
    """

    size_px: tuple[int, int]
    samples: int
    bits: tuple[int, ...]
    formats: tuple[int, ...]
    is_planar: bool
    compression: int
    photometric: int
    extra: tuple[int, ...]
    tile_px: tuple[int, int] | None
    ends_short: bool
    role: str
    is_sparse: bool
    depth: int
    colour_map: Array | None
    nodata: str | None
    metadata: GdalMetadata
    description: bytes


def read_pages(data: bytes) -> list[TiffPage]:
    """Pages of a file, in the order of their chain.

    Raises:
        DamagedTiff: A directory is not whole.
        DamagedMetadata: GDAL's tag cannot be read.
    """
    return [page_of(directory) for directory in read_directories(data, WANTED)]


@lru_cache(maxsize=REMEMBERED)
def page_of(directory: Directory) -> TiffPage:
    """What a directory says of its page."""
    tags = read_tags(directory, WANTED)

    def numbers(code: int, default: tuple[int, ...]) -> tuple[int, ...]:
        found = tags.get(code)
        return default if found is None or isinstance(found, bytes) else tuple(map(int, found))

    def first(code: int, default: int) -> int:
        return numbers(code, (default,))[0]

    samples = first(_SAMPLES, 1)
    is_tiled = _TILE_WIDTH in tags
    counts = numbers(_TILE_BYTES if is_tiled else _STRIP_BYTES, ()) or numbers(_STRIP_BYTES, ())
    return TiffPage(
        size_px=(first(_HEIGHT, 0), first(_WIDTH, 0)),
        samples=samples,
        bits=numbers(_BITS, (1,)),
        formats=numbers(_FORMAT, (1,)),
        is_planar=first(_PLANAR, 1) == _PLANES,
        compression=first(_COMPRESSION, 1),
        photometric=_photometric(first(_PHOTOMETRIC, 1), samples, tags),
        extra=numbers(_EXTRA, ()),
        tile_px=(first(_TILE_HEIGHT, 0), first(_TILE_WIDTH, 0)) if is_tiled else None,
        ends_short=not is_tiled
        and _ROWS in tags
        and first(_HEIGHT, 0) % max(1, first(_ROWS, 1)) > 0,
        role=_role(first(_SUBFILE, 0), first(_OLD_SUBFILE, 0), first(_PHOTOMETRIC, 1)),
        is_sparse=0 in counts,
        depth=first(_DEPTH, 1),
        colour_map=_colour_map(numbers(_COLOUR_MAP, ())),
        nodata=_text(tags.get(_GDAL_NODATA)),
        metadata=_metadata(tags.get(_GDAL_METADATA)),
        description=_bytes(tags.get(_DESCRIPTION))[:4096],
    )


def _photometric(colours: int, samples: int, tags: Mapping[int, object]) -> int:
    # GDAL adds a colour map to a page that is grey by its tag, and then reads it as a palette.
    return _PALETTE if colours == _GREY and samples == 1 and _COLOUR_MAP in tags else colours


def _role(subfile: int, old_subfile: int, photometric: int) -> str:
    if subfile & _REDUCED or old_subfile == _OLD_REDUCED:
        return "reduced"
    is_mask = subfile & _MASK or photometric == _MASK_PHOTOMETRIC
    return "mask" if is_mask else "image"


def _colour_map(numbers: tuple[int, ...]) -> Array | None:
    if not numbers or len(numbers) % 3:
        return None
    return np.array(numbers, dtype=np.uint16).reshape(3, -1).T


def _metadata(found: tuple[float, ...] | bytes | None) -> GdalMetadata:
    text = _bytes(found).rstrip(b"\x00 \n\r\t")
    return parse_tag(text) if text else NONE


def _text(found: tuple[float, ...] | bytes | None) -> str | None:
    text = _bytes(found).split(b"\x00")[0].decode("latin-1")
    return text or None


def _bytes(found: tuple[float, ...] | bytes | None) -> bytes:
    # Some writers say BYTE where the tag is a text.
    if isinstance(found, tuple):
        return bytes(int(v) & 0xFF for v in found)
    return found or b""
