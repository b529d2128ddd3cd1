"""From stored numbers to what they mean: missing pixels, scale, colour map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets.decoding.gdal_metadata import NONE, GdalMetadata
from featbank.datasets.decoding.missing import NoNumber, matches
from featbank.datasets.decoding.refusals import refuse
from featbank.image import with_missing

if TYPE_CHECKING:
    from featbank.datasets.decoding.stored import Stored
    from featbank.image import Array


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What files beside an image say of it.

    Attributes:
        metadata: Nodata, scale and offset, which overrule the image's own.
        is_masked: (H, W) or (C, H, W) True where a mask file leaves pixels out; None without.
    """

    metadata: GdalMetadata = NONE
    is_masked: Array | None = None


NOTHING = Beside()


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """One image as it is meant.

    Attributes:
        pixels: (C, H, W); a masked array with a mask of that shape where pixels are missing.
        is_colour: Whether the bands are red, green and blue by the file's own word.
        scales: (scale, offset) that were applied, by band; empty where none were.
        has_opacity: Whether the file has opacity, which became missing pixels.
        depth: Bits of a number where they are fewer than eight, else 8.
        opacity_is_band: Whether the last band is what the file calls opacity.
    """

    pixels: Array
    is_colour: bool
    scales: tuple[tuple[float, float], ...] = ()
    has_opacity: bool = False
    depth: int = 8
    opacity_is_band: bool = False


def settle(stored: Stored, name: str, *, beside: Beside = NOTHING, applies_scale: bool) -> Decoded:
    """What the stored numbers mean.

    Args:
        stored: Numbers as the file has them.
        name: Name of the file, for messages.
        beside: What files beside it say.
        applies_scale: Whether scale and offset tags are applied.

    Raises:
        DecodeError: A nodata text that is no number, or a mask or colour map that does not fit.
    """
    bands, missing = stored.bands, _missing(stored, beside, name)
    # A colour map takes indices as they are stored.
    is_scaled = applies_scale and stored.colour_map is None
    scales = _scales(stored, beside, name) if is_scaled else ()
    if scales:
        bands = _scaled(bands, scales)
    opacity = _opacity_beside(stored, beside)
    if opacity:
        is_clear = (stored.bands[opacity] == 0).any(axis=0)
        missing = np.broadcast_to(is_clear, bands.shape) if missing is None else missing | is_clear
        bands, missing = (np.delete(each, opacity, axis=0) for each in (bands, missing))
        scales = tuple(pair for band, pair in enumerate(scales) if band not in opacity)
    if stored.colour_map is not None:
        bands = _coloured(bands, stored.colour_map, name)
        missing = None if missing is None else np.repeat(missing, 3, axis=0)
    return Decoded(
        pixels=with_missing(bands, missing),
        is_colour=stored.is_colour,
        scales=scales,
        has_opacity=stored.is_clear is not None or bool(opacity),
        depth=stored.depth,
    )


def _opacity_beside(stored: Stored, beside: Beside) -> list[int]:
    """Bands that a side file calls opacity, where the image itself has none."""
    if stored.is_clear is not None or stored.colour_map is not None:
        return []
    return sorted(band for band in beside.metadata.opacity if 0 <= band < len(stored.bands) > 1)


def _missing(stored: Stored, beside: Beside, name: str) -> Array | None:
    """(C, H, W) True where missing, as GDAL ranks its sources: masks before nodata."""
    shape = stored.bands.shape
    masked = stored.is_masked if beside.is_masked is None else beside.is_masked
    if masked is not None:
        if masked.shape[-2:] != shape[1:] or (
            masked.ndim == 3 and len(masked) != len(stored.bands)
        ):
            refuse(name, f"has a mask of {masked.shape}", f"one of {shape}", "Write it again.")
        missing = np.array(np.broadcast_to(masked, shape))
    else:
        found = _without_data(stored, beside, name)
        if found is None and stored.is_clear is None:
            return None
        missing = np.zeros(shape, dtype=bool) if found is None else found
    if stored.is_clear is not None:
        missing |= stored.is_clear
    return missing


def _without_data(stored: Stored, beside: Beside, name: str) -> Array | None:
    count, bands = len(stored.bands), stored.bands
    texts = list(stored.nodata) or [None] * count
    for band, text in beside.metadata.nodata.items():
        if 0 <= band < count:
            texts[band] = text
    together = beside.metadata.nodata_together or stored.nodata_together
    try:
        if len(together) == count:
            planes = [_plane(band, text) for band, text in zip(bands, together, strict=True)]
            return np.array(np.broadcast_to(np.logical_and.reduce(planes), bands.shape))
        if len(set(texts)) == 1:
            return None if texts[0] is None else matches(bands, texts[0])
        return np.stack([_plane(band, text) for band, text in zip(bands, texts, strict=True)])
    except NoNumber as error:
        refuse(
            name,
            f"has a nodata text that is no number of its type ('{str(error)[:40]}')",
            "a plain number",
            "Write it again.",
        )


def _plane(band: Array, text: str | None) -> Array:
    found = None if text is None else matches(band, text)
    return np.zeros(band.shape, dtype=bool) if found is None else found


def _scales(stored: Stored, beside: Beside, name: str) -> tuple[tuple[float, float], ...]:
    told = beside.metadata
    if not stored.scales and not told.scales and not told.offsets:
        return ()
    own = stored.scales or ((1.0, 0.0),) * len(stored.bands)
    scales = tuple(
        (told.scales.get(band, scale), told.offsets.get(band, offset))
        for band, (scale, offset) in enumerate(own)
    )
    if any(scale == 0 or not np.isfinite([scale, offset]).all() for scale, offset in scales):
        refuse(
            name, f"has scale and offset tags {scales[:3]}", "numbers but 0", "Write them again."
        )
    return scales if set(scales) != {(1.0, 0.0)} else ()


def _scaled(bands: Array, scales: tuple[tuple[float, float], ...]) -> Array:
    dtype = np.float64 if bands.dtype == np.float64 else np.float32
    scaled = np.empty(bands.shape, dtype=dtype)
    # Missing numbers may be as large as their type allows; nobody reads them.
    with np.errstate(over="ignore", invalid="ignore"):
        for place, (scale, offset) in enumerate(scales):
            scaled[place] = bands[place].astype(np.float64) * scale + offset
    return scaled


def _coloured(indices: Array, colour_map: Array, name: str) -> Array:
    largest = int(indices.max())
    if largest >= len(colour_map):
        refuse(
            name,
            f"has index {largest} in a colour map of {len(colour_map)}",
            "indices inside it",
            "Write it again.",
        )
    return np.moveaxis(colour_map[indices[0]], -1, 0)
