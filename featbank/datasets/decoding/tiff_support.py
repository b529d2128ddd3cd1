"""Which TIFF pages are read: what would change the meaning of pixels unseen is named instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from featbank.datasets.decoding.refusals import MAX_DECODED_BYTES

if TYPE_CHECKING:
    from featbank.datasets.decoding.tiff_page import TiffPage

# Compressions of TIFF 6.0 and its supplements.
OLD_JPEG, JPEG, JPEG2000 = 6, 7, 34712
_COMPRESSIONS = {1, 2, 3, 4, 5, JPEG, 8, 32773, 32946, JPEG2000, 34887, 34925, 50000, 50001}
# Those whose decoders are told how many bytes a part has, so that no part claims its own size.
_BOUNDED = {1, 5, 8, 32773, 32946, JPEG2000, 34925, 50000}
# Photometric interpretations.
WHITE_IS_ZERO, GREY, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
_OTHER_COLOURS = {
    5: "inks (CMYK)",
    8: "CIELab",
    9: "ICCLab",
    10: "ITULab",
    32803: "a colour filter's mosaic",
    32844: "LogL",
    32845: "LogLuv",
    34892: "raw sensor counts",
}
_UNSIGNED, _SIGNED, REAL, _UNDEFINED, _COMPLEX = 1, 2, 3, 4, {5, 6}
_OPACITY = {1, 2}


class Trouble(NamedTuple):
    """Why a page is refused: the parts of a message."""

    found: str
    expected: str
    remedy: str


def dtype_of(page: TiffPage) -> np.dtype[np.generic] | None:
    """Type of the numbers once unpacked; None where there is none."""
    bits, form = page.bits[0], page.formats[0]
    if form in {_UNSIGNED, _UNDEFINED} and (bits <= 32 or bits == 64) and bits > 0:
        return np.dtype(f"u{1 if bits <= 8 else 2 if bits <= 16 else 4 if bits <= 32 else 8}")
    if form == _SIGNED and bits in {8, 16, 32, 64}:
        return np.dtype(f"i{bits // 8}")
    # Half precision is widened, as GDAL does: nothing is lost.
    return np.dtype(f"f{max(bits // 8, 4)}") if form == REAL and bits in {16, 32, 64} else None


def colours_of(page: TiffPage) -> int:
    """Number of samples that the colours take."""
    return 3 if page.photometric in {RGB, YCBCR} else 1


def opacity_of(page: TiffPage) -> list[int]:
    """Samples that are opacity."""
    first = page.samples - len(page.extra)
    return [first + i for i, kind in enumerate(page.extra) if kind in _OPACITY]


def is_odd_jpeg(page: TiffPage) -> bool:
    """Whether JPEG parts hold several bands that libtiff would take for other colours.

    It converts what is neither RGB nor YCbCr as if it were, and gives planes in another order.
    """
    is_plain = page.samples == 3 and not page.is_planar and page.photometric in {RGB, YCBCR}
    return page.compression == JPEG and page.samples > 1 and not is_plain


def is_cut_jpeg(page: TiffPage) -> bool:
    """Whether libtiff would compute the image's last row wrongly, by up to 46 levels of 255.

    It takes colours of half resolution of rows that the short last strip does not have.
    """
    return page.compression == JPEG and page.photometric == YCBCR and page.ends_short


def trouble_of(page: TiffPage) -> Trouble | None:
    """Why a page cannot be read as it is meant; None for a good page."""
    trouble = _number_trouble(page) or _storage_trouble(page)
    if trouble or page.role != "mask":
        return trouble or _colour_trouble(page)
    if page.bits[0] in {1, 8}:
        return None
    return Trouble(f"has a mask of {page.bits[0]} bits", "1 or 8", "Write the mask again.")


def _number_trouble(page: TiffPage) -> Trouble | None:
    if set(page.formats) & _COMPLEX:
        return Trouble(
            "holds complex numbers",
            "real numbers",
            "Write amplitude or intensity, or real and imaginary parts as bands.",
        )
    if len(set(page.bits)) > 1 or len(set(page.formats)) > 1:
        return Trouble(
            f"has bands of {'/'.join(map(str, page.bits[:8]))} bits",
            "bands of one type",
            "Write all bands in one type.",
        )
    if dtype_of(page) is None:
        return Trouble(
            f"holds numbers of {page.bits[0]} bits in sample format {page.formats[0]}",
            "integers, or real numbers of 16, 32 or 64 bits",
            "Write it in another type.",
        )
    return None


def _storage_trouble(page: TiffPage) -> Trouble | None:
    if page.compression not in _COMPRESSIONS:
        return Trouble(
            f"is compressed by method {page.compression}",
            "a common compression",
            "Write it with deflate, LZW or none.",
        )
    if page.is_sparse and page.compression not in _BOUNDED:
        return Trouble(
            f"leaves parts out and is compressed by method {page.compression}",
            "all parts, or a compression without loss",
            "Write it with deflate, LZW or none.",
        )
    if page.is_sparse and page.formats[0] == REAL and page.bits[0] < 32:
        # Its missing number may lie outside half a float, in which the parts would be filled.
        return Trouble("leaves parts of half floats out", "all parts", "Write it as float32.")
    if page.depth != 1:
        return Trouble(f"is a volume of {page.depth} slices", "an image", "Write slices as bands.")
    if len(page.extra) > page.samples - 1:
        return Trouble(
            f"names {len(page.extra)} extra samples of {page.samples}", "fewer", "Write it again."
        )
    dtype, tile = dtype_of(page), page.tile_px
    if dtype is None or tile is None:
        return None
    if not 0 < tile[0] * tile[1] * page.samples * dtype.itemsize <= MAX_DECODED_BYTES:
        return Trouble(f"claims tiles of {tile[0]} × {tile[1]} pixels", "small ones", "Replace it.")
    return None


def _colour_trouble(page: TiffPage) -> Trouble | None:
    colours, remedy = page.photometric, "Convert it to grey, RGB or bands."
    if colours == WHITE_IS_ZERO:
        return Trouble(
            "says that its 0 is white, which readers take in two ways", "0 as black", remedy
        )
    if colours == YCBCR and (page.compression != JPEG or page.is_planar or page.samples != 3):
        return Trouble("is YCbCr without JPEG compression", "grey, RGB or bands", remedy)
    if colours not in {GREY, RGB, PALETTE, YCBCR}:
        named = _OTHER_COLOURS.get(colours, f"colours of kind {colours}")
        return Trouble(f"holds {named}", "grey, RGB or bands", remedy)
    if page.samples - len(opacity_of(page)) < colours_of(page):
        return Trouble(f"says RGB of {page.samples} samples", "three at least", "Write it again.")
    unseen = sorted(page.metadata.opacity - set(opacity_of(page)))
    if unseen:
        return Trouble(
            f"calls band {unseen[0] + 1} opacity in GDAL's metadata alone",
            "opacity that its own tags tell",
            "Write it again with ALPHA=YES and the opacity last.",
        )
    if is_odd_jpeg(page) and page.samples == 3 and not page.is_planar:
        # Without a marker of its own, a JPEG of three is taken for YCbCr by some readers.
        return Trouble("holds three bands as JPEG that are no colours", "another coding", remedy)
    if colours == PALETTE and (page.colour_map is None or page.bits[0] > 16):
        return Trouble("lacks its colour map", "one of three columns", "Write it again.")
    if colours == PALETTE and page.samples - len(opacity_of(page)) != 1:
        return Trouble("has a colour map for several bands", "one band of indices", remedy)
    return None
