"""TIFF files whose numbers are all there is: most chips are, and they are told in microseconds."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from featbank.datasets.decoding import tiff_support as support
from featbank.datasets.decoding.refusals import FAULTS, require_size
from featbank.datasets.decoding.tiff_directory import (
    FORMS,
    REMEMBERED,
    DamagedTiff,
    Directory,
    next_of,
    spans_of,
)
from featbank.datasets.decoding.tiff_page import WANTED, TiffPage, page_of

if TYPE_CHECKING:
    import numpy as np


class PlainForm(NamedTuple):
    """What the decoder gives for a plain file.

    Attributes:
        shape: (H, W), (H, W, C), or (C, H, W) where samples stand plane by plane.
        dtype: Type of the numbers.
        is_planar: Whether bands come first.
        is_colour: Whether the bands are red, green and blue.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    is_planar: bool
    is_colour: bool


def plain_form(data: bytes) -> PlainForm | None:
    """The form of a TIFF of one page without any tag that changes what its numbers mean.

    Args:
        data: The file.

    Returns:
        None where there is such a tag, or damage: those files are looked at with care.
    """
    form = FORMS.get(data[:4])
    if form is None:
        return None
    try:
        (at,) = form.place.unpack_from(data, form.start)
        (count,) = form.number.unpack_from(data, at)
        at += form.number.size
        block = data[at : at + count * form.entry.size + form.place.size]
        spans, size = _spans(block, data[:4])
    except (struct.error, OverflowError, DamagedTiff):
        return None
    values = b"".join([data[first:last] for first, last in spans]) if spans else b""
    return _form(block, values, data[:4]) if len(values) == size else None


@lru_cache(maxsize=REMEMBERED)
def _spans(block: bytes, magic: bytes) -> tuple[tuple[tuple[int, int], ...], int]:
    return spans_of(block, FORMS[magic], WANTED)


@lru_cache(maxsize=REMEMBERED)
def _form(block: bytes, values: bytes, magic: bytes) -> PlainForm | None:
    """What files with this directory, and these values of its tags, have in common."""
    try:
        directory = Directory(block, values, FORMS[magic])
        page = page_of(directory)
        dtype = support.dtype_of(page)
        if next_of(directory) or dtype is None or not _is_plain(page):
            return None
        require_size("", page.size_px, bands=page.samples, sample_bytes=dtype.itemsize)
    except FAULTS:
        return None
    is_planar = page.is_planar and page.samples > 1
    shape: tuple[int, ...] = page.size_px
    if page.samples > 1:
        shape = (page.samples, *shape) if is_planar else (*shape, page.samples)
    is_colour = page.photometric in {support.RGB, support.YCBCR} and page.samples == 3
    return PlainForm(shape, dtype, is_planar, is_colour)


def _is_plain(page: TiffPage) -> bool:
    told = page.metadata
    says_more = page.nodata or told.scales or told.offsets or told.nodata_together
    # Few bits and half a float are widened; a description may tell of pages without directories.
    is_widened = page.bits[0] < 8 or (page.bits[0] < 32 and page.formats[0] == support.REAL)
    is_stack = page.compression == 1 and page.description.startswith((b"ImageJ=", b'{"shape"'))
    is_coded = page.compression == support.JPEG2000 or page.photometric == support.PALETTE
    is_coded = is_coded or support.is_odd_jpeg(page) or support.is_cut_jpeg(page)
    is_odd = page.role != "image" or page.is_sparse or support.opacity_of(page)
    return not (
        says_more or is_widened or is_stack or is_coded or is_odd or support.trouble_of(page)
    )
