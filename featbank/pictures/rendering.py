"""From the pixels of a chip to red, green and blue of eight bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featbank.image import Array, Grid, Image
    from featbank.pictures.shown_bands import Shown

# The darkest and brightest 2 % are cut, as QGIS cuts them by default ("cumulative count cut"), so
# that clouds and roofs do not leave the rest black.
_PERCENTILES = (2.0, 98.0)
# Each chip votes with its percentiles; these shares of the votes are taken. Of the real chips of
# EuroSAT and BigEarthNet, quartiles leave dark forest black and bright fields white, and the ends
# let two chips under snow darken all others.
_LOW_SHARE, _HIGH_SHARE = 5, 90
# Reflectance is linear in light, and a screen is not: shares are raised to 1 / 1.5, between none,
# which leaves forest black, and the 2.2 of sRGB, which washes fields out. Decibels are not.
_GAMMA = 1.5
# Pixels along a side that settle a chip's percentiles; more change them by less than a grey level.
_LATTICE = 64


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is drawn black and what is drawn fully bright.

    Attributes:
        low: (C,) in the unit of the channels.
        high: (C,) above ``low``.
        gamma: The share between them is raised to its inverse.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    gamma: float = 1.0


def channels(image: Image, grids: Sequence[Grid], shown: Shown) -> Array:
    """(C, H, W) of what is drawn: three channels or one, all on the finest grid.

    Args:
        image: One chip, (C_g, H_g, W_g) by grid.
        grids: Their bands.
        shown: What is drawn.
    """
    planes = [_plane(image, grids, band) for band in shown.bands]
    height, width = (max(plane.shape[axis] for plane in planes) for axis in (0, 1))
    planes = [_on_grid(plane, height, width) for plane in planes]
    if shown.kind == "radar":
        vv, vh = (plane.astype(np.float32) for plane in planes)
        # A ratio of powers is a difference of decibels.
        planes = [vv, vh, vv - vh]
    return np.stack(planes)


def darkened(pixels: Array) -> Array:
    """(C, H, W) pixels of a chip, missing ones as dark as the darkest of their band."""
    if not isinstance(pixels, np.ma.MaskedArray):
        return pixels
    darkest = [plane.min() if plane.count() else 0 for plane in pixels]
    values = np.array(darkest, dtype=pixels.dtype)[:, None, None]
    return np.where(np.ma.getmaskarray(pixels), values, pixels.data)


def _plane(image: Image, grids: Sequence[Grid], band: str) -> Array:
    grid = next(grid for grid in grids if band in grid.bands)
    plane: Array = image[grid.name][grid.bands.index(band)]
    if not isinstance(plane, np.ma.MaskedArray):
        return plane
    # Missing pixels are black, and settle no limits.
    pixels, missing = np.ma.getdata(plane), np.ma.getmaskarray(plane)
    is_ready = pixels.dtype == np.uint8
    return np.where(missing, 0 if is_ready else np.nan, pixels).astype(
        np.uint8 if is_ready else np.float32
    )


def _on_grid(plane: Array, height: int, width: int) -> Array:
    if plane.shape == (height, width):
        return plane
    picture = Pictures.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.asarray(picture.resize((width, height), Pictures.Resampling.BILINEAR))


def limits_of(chips: Sequence[Array], shown: Shown) -> Limits:
    """What is black and what is bright in all chips of a dataset.

    Each chip votes with its own 2nd and 98th percentile; the 5th percentile of the former and the
    90th of the latter are taken: a few chips under snow or cloud leave the rest as bright as they
    were, which percentiles of all pixels together do not.

    Args:
        chips: (C, H, W) each, at least one.
        shown: What they show.
    """
    lattices = [lattice for lattice in map(_lattice, chips) if lattice.size]
    if not lattices:
        lattices = [np.zeros((len(chips[0]), 1), dtype=np.float32)]
    votes = np.stack([np.percentile(lattice, _PERCENTILES, axis=1) for lattice in lattices])
    low = np.percentile(votes[:, 0], _LOW_SHARE, axis=0)
    high = np.percentile(votes[:, 1], _HIGH_SHARE, axis=0)
    # A channel without any contrast is drawn black.
    high = np.where(high > low, high, low + 1)
    gamma = 1.0 if shown.kind == "radar" else _GAMMA
    return Limits(low=low.astype(np.float32), high=high.astype(np.float32), gamma=gamma)


def _lattice(chip: Array) -> Array:
    """(C, n) finite pixels on a regular lattice."""
    rows, columns = (max(1, size // _LATTICE) for size in chip.shape[1:])
    picked = chip[:, ::rows, ::columns].reshape(len(chip), -1).astype(np.float32)
    kept: Array = picked[:, np.isfinite(picked).all(axis=0)]
    return kept


def as_picture(chip: Array, limits: Limits | None) -> NDArray[np.uint8]:
    """(C, H, W) -> (H, W, 3), 0 to 255.

    Args:
        chip: One channel or three.
        limits: What is black and what is bright; None where the numbers are eight-bit already.
    """
    if limits is not None:
        low, high = limits.low[:, None, None], limits.high[:, None, None]
        shares = np.clip((chip.astype(np.float32) - low) / (high - low), 0, 1) ** (1 / limits.gamma)
        chip = np.rint(np.nan_to_num(shares) * 255).astype(np.uint8)
    stacked = chip if len(chip) == 3 else chip[:1].repeat(3, axis=0)
    return np.ascontiguousarray(stacked.transpose(1, 2, 0))


def as_tile(picture: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """The picture's central square at another size: (side_px, side_px, 3).

    Each pixel is the mean of the area it covers; a small picture is enlarged in whole pixels.
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Pictures.fromarray(picture[top : top + side, left : left + side])
    return np.asarray(square.resize((side_px, side_px), Pictures.Resampling.BOX))
