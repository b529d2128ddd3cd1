"""TIFF files: which pages are the image, and their pixels, bands first."""

from __future__ import annotations

import io
import json
import logging
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from featbank.datasets.decoding import tiff_support as support
from featbank.datasets.decoding.gdal_metadata import DamagedMetadata
from featbank.datasets.decoding.jpeg2000 import read_codestream
from featbank.datasets.decoding.missing import NoNumber, fill_value
from featbank.datasets.decoding.refusals import FAULTS, refuse, refuse_undecoded, require_size
from featbank.datasets.decoding.stored import Stored
from featbank.datasets.decoding.tiff_page import TiffPage, read_pages
from featbank.datasets.decoding.tiff_plain import PlainForm, plain_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    import tifffile

    from featbank.image import Array

# tifffile tells of tags that it does not understand; what matters is said in our own words. A
# handler of the user's still hears it.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

# Share of pixels between clear and opaque from which opacity is none.
_GRADED = 0.5
_IMAGEJ_COUNT = re.compile(rb"\nimages=(\d+)")


class _Pages(NamedTuple):
    """Places of pages in the file's chain.

    Attributes:
        images: The pages that are the image, one or several equal ones.
        masks: Masks of the image: none, one, or one a page.
    """

    images: list[int]
    masks: list[int]


def decode_tiff(data: bytes, name: str) -> Stored:
    """Bands of one file; those of equal pages one after another.

    Raises:
        DecodeError: Damaged, cut short, too large, or of a kind that is not read.
    """
    plain = plain_form(data)
    if plain is not None:
        return _plain(data, plain, name)
    try:
        pages = read_pages(data)
    except DamagedMetadata as error:
        refuse(name, f"has GDAL metadata that {error}", "XML", "Write it again.")
    except FAULTS as error:
        refuse_undecoded(name, "TIFF", error)
    chosen = _Pages([0], []) if len(pages) == 1 else _choose(pages, name)
    first = pages[chosen.images[0]]
    if first.photometric == support.PALETTE and len(chosen.images) > 1:
        refuse(
            name,
            f"holds {len(chosen.images)} pages of colour indices",
            "one, or pages of grey or bands",
            "Write the page that is meant as a file of its own, or its colours as RGB.",
        )
    _require_known(first, len(chosen.images), name)
    if first.compression == 1 and first.description:
        _require_whole_stack(first, len(chosen.images), data, name)
    bands = _bands(data, pages, chosen.images, name)
    is_masked = _masked(data, pages, chosen, name) if chosen.masks else None
    return _stored(bands, [pages[i] for i in chosen.images], is_masked)


def decode_mask(data: bytes, name: str) -> Array:
    """Where a mask file leaves pixels out.

    Returns:
        True where missing: (H, W) where one plane counts for all bands, else (C, H, W).

    Raises:
        DecodeError: Damaged, cut short, too large, or no TIFF.
    """
    try:
        page = read_pages(data)[0]
    except FAULTS as error:
        refuse_undecoded(name, "TIFF", error)
    _require_known(page._replace(role="mask"), 1, name)
    planes: Array = _page_bands(data, 0, page, name) == 0
    return planes[0] if page.metadata.mask_is_shared else planes


def _plain(data: bytes, form: PlainForm, name: str) -> Stored:
    import imagecodecs

    try:
        pixels: Array = np.asarray(imagecodecs.tiff_decode(data))
    except FAULTS as error:
        refuse_undecoded(name, "TIFF", error)
    if pixels.shape != form.shape or pixels.dtype != form.dtype:
        refuse(name, f"decodes to {pixels.shape}", f"{form.shape}", "Replace it.")
    if pixels.ndim == 2:
        pixels = pixels[None]
    elif not form.is_planar:
        pixels = pixels.transpose(2, 0, 1)
    return Stored(pixels, form.is_colour, is_plain=True)


def _choose(pages: Sequence[TiffPage], name: str) -> _Pages:
    images = [i for i, page in enumerate(pages) if page.role == "image"]
    if not images:
        # A lone page that calls itself reduced is all there is.
        images = [i for i, page in enumerate(pages) if page.role == "reduced"]
        if len(images) != 1:
            refuse(name, "holds only reduced pages or masks", "an image", "Replace it.")
    forms = {_form(pages[i]) for i in images}
    if len(forms) > 1:
        sizes = ", ".join(sorted({"{} × {}".format(*pages[i].size_px) for i in images}))
        refuse(
            name,
            f"holds {len(images)} full pages that differ ({sizes} pixels)",
            "one image, or pages that are its bands",
            "Write the page that is meant as a file of its own.",
        )
    size_px = pages[images[0]].size_px
    masks = [i for i, page in enumerate(pages) if page.role == "mask"]
    if len(masks) not in {0, 1, len(images)} or any(pages[i].size_px != size_px for i in masks):
        refuse(name, "has masks that do not fit its image", "one of its size", "Write it again.")
    return _Pages(images, masks)


def _form(page: TiffPage) -> tuple[object, ...]:
    return (
        page.size_px,
        page.samples,
        page.bits,
        page.formats,
        page.photometric,
        page.extra,
    )


def _require_known(page: TiffPage, pages: int, name: str) -> None:
    trouble = support.trouble_of(page)
    if trouble is not None:
        refuse(name, *trouble)
    dtype = support.dtype_of(page)
    width = 1 if dtype is None else dtype.itemsize
    require_size(name, page.size_px, bands=page.samples * pages, sample_bytes=width)


def _require_whole_stack(page: TiffPage, pages: int, data: bytes, name: str) -> None:
    """Refuse stacks whose pages stand in one directory, of which other readers see the first."""
    count = _IMAGEJ_COUNT.search(page.description)
    size = int(np.prod(page.size_px, dtype=np.int64)) * page.samples
    told = 0
    if page.description.startswith(b"ImageJ=") and count:
        told = int(count[1])
    elif page.description.startswith(b'{"shape"'):
        try:
            shape = json.loads(page.description.rstrip(b"\x00"))["shape"]
            told = int(np.prod(np.array(shape, dtype=np.float64))) // max(size, 1)
        except FAULTS:
            return
    if told > pages and len(data) > told * size * page.bits[0] // 8:
        refuse(
            name,
            f"is a stack of {told} pages written as one",
            "a page for each band",
            "Write it again with a directory for each page.",
        )


def _bands(data: bytes, pages: Sequence[TiffPage], images: list[int], name: str) -> Array:
    if len(images) == 1:
        return _page_bands(data, images[0], pages[images[0]], name)
    return np.concatenate([_page_bands(data, i, pages[i], name) for i in images])


def _page_bands(data: bytes, place: int, page: TiffPage, name: str) -> Array:
    """(C, H, W) of one page."""
    import imagecodecs

    is_left_to_us = page.is_sparse or page.compression == support.JPEG2000
    is_left_to_us = is_left_to_us or support.is_odd_jpeg(page) or support.is_cut_jpeg(page)
    pixels: Array
    try:
        if is_left_to_us:
            pixels = _by_tifffile(data, place, page, name)
        else:
            pixels = np.asarray(imagecodecs.tiff_decode(data, index=place))
    except NoNumber as error:
        _refuse_nodata(name, str(error))
    except FAULTS as error:
        refuse_undecoded(name, "TIFF", error)
    height, width = page.size_px
    if pixels.size != height * width * page.samples:
        refuse(name, f"decodes to {pixels.shape}", "its own size", "Replace it.")
    if pixels.dtype == np.float16:
        pixels = pixels.astype(np.float32)
    if pixels.dtype == np.bool_:
        pixels = pixels.view(np.uint8)
    if page.is_planar:
        return pixels.reshape(page.samples, height, width)
    return pixels.reshape(height, width, page.samples).transpose(2, 0, 1)


def _by_tifffile(data: bytes, place: int, page: TiffPage, name: str) -> Array:
    """Pages that libtiff does not read: parts without bytes, and JPEG 2000."""
    import tifffile

    dtype = support.dtype_of(page)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        found = file.pages[place]
        if dtype is None or not isinstance(found, tifffile.TiffPage):
            raise TypeError("it has no such page")
        if len(found.dataoffsets) != len(found.databytecounts):
            raise ValueError("its parts have other numbers of places than of sizes")
        if page.compression == support.JPEG2000:
            _require_small_parts(data, found, name)
        # A part without bytes may still name a place, from which tifffile counts on.
        parts = zip(found.dataoffsets, found.databytecounts, strict=True)
        found.dataoffsets = tuple(at if count else 0 for at, count in parts)
        found.nodata = fill_value(dtype, page.nodata)
        return np.asarray(found.asarray(maxworkers=1))


def _require_small_parts(data: bytes, page: tifffile.TiffPage, name: str) -> None:
    """Refuse parts whose own headers claim more than the tile that they stand for."""
    limit = page.tilewidth * page.tilelength or page.imagewidth * page.imagelength
    for start, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        if count:
            height, width = read_codestream(data[start : start + count], name).size_px
            require_size(name, (height, width), bands=1)
            if height * width > limit:
                refuse(name, "has parts larger than its tiles", "parts that fit", "Replace it.")


def _masked(data: bytes, pages: Sequence[TiffPage], chosen: _Pages, name: str) -> Array:
    """Where masks leave pixels out, (H, W) or (C, H, W)."""
    planes: list[Array] = []
    for place in chosen.masks:
        _require_known(pages[place], 1, name)
        planes.append(_page_bands(data, place, pages[place], name) == 0)
    first = pages[chosen.images[0]]
    if len(planes) == 1:
        one: Array = planes[0]
        return one[0] if len(one) == 1 else one
    samples = first.samples - len(support.opacity_of(first))
    return np.concatenate([np.broadcast_to(p[:1], (samples, *first.size_px)) for p in planes])


def _stored(bands: Array, pages: Sequence[TiffPage], is_masked: Array | None) -> Stored:
    opacity = support.opacity_of(pages[0])
    stored = _without(opacity, bands, pages, is_masked)
    if not opacity:
        return stored
    # Most programs call a fourth band opacity unless they are told otherwise.
    whole = _without([], bands, pages, is_masked)
    return stored._replace(whole=whole, is_graded=_is_graded(bands[opacity[-1]]))


def _without(
    opacity: list[int], bands: Array, pages: Sequence[TiffPage], is_masked: Array | None
) -> Stored:
    first = pages[0]
    is_clear = None
    if opacity:
        samples = np.arange(len(bands)) % first.samples
        is_clear = (bands[np.isin(samples, opacity)] == 0).any(axis=0)
        bands = bands[~np.isin(samples, opacity)]
    colours = first.photometric
    return Stored(
        bands,
        colours == support.PALETTE or (colours in {support.RGB, support.YCBCR} and len(bands) == 3),
        is_clear,
        is_masked,
        _colours(first.colour_map) if colours == support.PALETTE else None,
        _nodata(pages, opacity),
        _scales(pages, opacity),
        first.metadata.nodata_together,
        8 if colours == support.PALETTE else min(first.bits[0], 8),
    )


def _is_graded(opacity: Array) -> bool:
    """Whether most pixels are neither clear nor opaque; the soft edge of a cut-out is less."""
    between = (opacity != 0) & (opacity != opacity.max())
    return bool(between.mean() > _GRADED)


def _nodata(pages: Sequence[TiffPage], opacity: list[int]) -> tuple[str | None, ...]:
    samples = pages[0].samples - len(opacity)
    if all(page.nodata is None for page in pages):
        return ()
    return tuple(page.nodata or pages[0].nodata for page in pages for _ in range(samples))


def _scales(pages: Sequence[TiffPage], opacity: list[int]) -> tuple[tuple[float, float], ...]:
    if not any(page.metadata.scales or page.metadata.offsets for page in pages):
        return ()
    kept = [i for i in range(pages[0].samples) if i not in opacity]
    return tuple(
        (page.metadata.scales.get(i, 1.0), page.metadata.offsets.get(i, 0.0))
        for page in pages
        for i in kept
    )


def _colours(colour_map: Array | None) -> Array | None:
    if colour_map is None:
        return None
    # Colours have 16 bits: eight of them times 257, or by some writers times 256, or alone.
    if colour_map.max() < 256:
        return colour_map.astype(np.uint8)
    return (colour_map // (257 if (colour_map % 256).any() else 256)).astype(np.uint8)


def _refuse_nodata(name: str, text: str) -> None:
    refuse(
        name,
        f"has a nodata text that is no number of its type ('{text[:40]}')",
        "a plain number",
        "Write the tag again.",
    )
