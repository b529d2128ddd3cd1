"""Missing pixels of a chip: those that its file masks, and those that its unit has no value for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featbank.image import Array, Image
    from featbank.inputs.contract import Contract

# Backscatter is a sum of powers over speckle, so exactly none is what processors write outside the
# swath (ESA Sentinel-1 product specification, border noise and no-value pixels), -inf in decibels.
_NO_SIGNAL = {"linear": 0.0, "amplitude": 0.0, "dB": -np.inf}


def mark_missing(image: Image, contract: Contract) -> Image:
    """The chip with all of its missing pixels masked.

    Args:
        image: (C_g, H_g, W_g) by grid; masked arrays where the file tells of missing pixels.
        contract: Units of the bands.

    Returns:
        The same arrays, masked where something is missing, plain elsewhere.
    """
    return {grid.name: _marked(image[grid.name], grid.bands, contract) for grid in contract.grids}


def _marked(pixels: Array, bands: tuple[str, ...], contract: Contract) -> Array:
    values = [_NO_SIGNAL.get(contract.units[band]) for band in bands]
    if not any(value is not None for value in values) or pixels.ndim != 3:
        return pixels
    if len(pixels) != len(bands):
        return pixels
    # A NaN equals nothing, so bands whose unit leaves no value out mark none.
    empty = np.array([np.nan if value is None else value for value in values])
    with np.errstate(invalid="ignore"):
        mask = np.ma.getdata(pixels) == empty[:, None, None]
    if not mask.any():
        return pixels
    return np.ma.MaskedArray(np.ma.getdata(pixels), np.ma.getmaskarray(pixels) | mask)


def valid_values(pixels: Array) -> Array:
    """Values that are there: all of a plain array, (n,) of a masked one."""
    return pixels.compressed() if isinstance(pixels, np.ma.MaskedArray) else pixels


def mask_of(pixels: Array) -> NDArray[np.bool_] | None:
    """(C, H, W) mask of missing pixels; None where none is missing."""
    if not isinstance(pixels, np.ma.MaskedArray):
        return None
    mask: NDArray[np.bool_] = np.ma.getmaskarray(pixels)
    return mask if mask.any() else None


def absent_bands(image: Image, contract: Contract) -> tuple[str, ...]:
    """Bands of which no pixel is there."""
    return tuple(
        band
        for grid in contract.grids
        if (mask := mask_of(image[grid.name])) is not None
        for band, plane in zip(grid.bands, mask, strict=True)
        if plane.all()
    )


def missing_shares(image: Image, contract: Contract) -> NDArray[np.float32] | None:
    """Share of missing pixels; None where there is none.

    Returns:
        (1 + C,): of pixels that miss in any band that is not wholly absent, on the finest grid;
        then of each band in the order of the contract's grids.
    """
    masks = {grid.name: mask_of(image[grid.name]) for grid in contract.grids}
    if all(mask is None for mask in masks.values()):
        return None
    shape = max(image[grid.name].shape[-2:] for grid in contract.grids)
    union, shares = np.zeros(shape, dtype=bool), []
    for grid in contract.grids:
        mask = masks[grid.name]
        if mask is None:
            shares += [0.0] * len(grid.bands)
            continue
        of_band = mask.mean(axis=(1, 2))
        shares += of_band.tolist()
        union |= _on(mask[of_band < 1].any(axis=0), shape)
    return np.array([union.mean(), *shares], dtype=np.float32)


def _on(plane: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A plane at another size, each pixel as the nearest one."""
    rows, columns = (
        np.minimum((np.arange(size) + 0.5) * own / size, own - 1).astype(np.intp)
        for size, own in zip(shape, plane.shape, strict=True)
    )
    return plane[np.ix_(rows, columns)]


def stacked_masks(chips: list[Image], name: str) -> NDArray[np.bool_] | None:
    """Masks of one grid of several chips.

    Returns:
        (b, 1, H, W) where all bands of each chip miss the same pixels, else (b, C, H, W); None
        where nothing is missing.
    """
    masks = [mask_of(chip[name]) for chip in chips]
    if all(mask is None for mask in masks):
        return None
    shape = chips[0][name].shape
    is_shared = all(mask is None or bool((mask == mask[:1]).all()) for mask in masks)
    bands = 1 if is_shared else shape[0]
    out = np.zeros((len(chips), bands, *shape[1:]), dtype=bool)
    for row, mask in enumerate(masks):
        if mask is not None:
            out[row] = mask[:bands]
    return out


def missing_key(grid: str) -> str:
    """Name of a grid's mask beside the grid's pixels, where both travel in one mapping."""
    return f"{grid} is missing"


def valid_mask(planes: Mapping[str, Array], grid: str) -> NDArray[np.bool_] | None:
    """(b, C_g, H_g, W_g) where pixels of a grid are there; None where all are."""
    missing = planes.get(missing_key(grid))
    return None if missing is None else np.broadcast_to(~missing, planes[grid].shape)
