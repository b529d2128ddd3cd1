"""What a file's own decoder gives, before nodata, scale and colour map are settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from featbank.image import Array


class Stored(NamedTuple):
    """One image as its file stores it.

    Attributes:
        bands: (C, H, W) numbers as stored; indices where there is a colour map.
        is_colour: Whether the file says that its bands are red, green and blue.
        is_clear: (H, W) True where the image is fully transparent; None without opacity.
        is_masked: (H, W) or (C, H, W) True where the file's mask leaves pixels out; None without.
        colour_map: (K, 3) red, green and blue by index; None without.
        nodata: Text that stands for missing numbers, by band; None for a band without.
        scales: (scale, offset) by band; empty where there is none.
        nodata_together: One text a band: a pixel is missing where all bands match; empty without.
        depth: Bits of a number below eight, which the largest one tells of; 8 for all others.
        whole: The same with opacity as a band among the others; None where there is none, or where
            no program writes bands by that name.
        is_graded: Whether what the file calls opacity is neither none nor full in most pixels, as
            a fourth band is.
        is_plain: Whether the numbers are all there is, so that nothing is left to settle.
    """

    bands: Array
    is_colour: bool = False
    is_clear: Array | None = None
    is_masked: Array | None = None
    colour_map: Array | None = None
    nodata: tuple[str | None, ...] = ()
    scales: tuple[tuple[float, float], ...] = ()
    nodata_together: tuple[str, ...] = ()
    depth: int = 8
    whole: Stored | None = None
    is_graded: bool = False
    is_plain: bool = False


def split_opacity(pixels: Array, colours: int) -> tuple[Array, Array | None]:
    """Bands first, and where an image of (H, W, C) is fully transparent.

    Args:
        pixels: (H, W) or (H, W, C) pixels; C is ``colours``, or one more for opacity.
        colours: Number of bands without opacity.
    """
    if pixels.ndim == 2:
        return pixels[None], None
    bands = pixels.transpose(2, 0, 1)
    if len(bands) == colours:
        return bands, None
    return bands[:colours], bands[colours] == 0
