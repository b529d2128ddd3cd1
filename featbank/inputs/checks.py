"""What is refused at the door: chips that are not what their dataset declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.inputs.missing import absent_bands, missing_shares, valid_values

if TYPE_CHECKING:
    from featbank.image import Array, Grid, Image
    from featbank.inputs.contract import Contract

# Reflectance of land stays below 1.5 even over snow and sun glint; DN is 10,000 times that, so a
# chip whose largest DN is below 1.5 is reflectance, and reflectance above 50 is DN.
_LARGEST_REFLECTANCE = 1.5
_SURELY_DN = 50.0
_LARGEST_UINT8 = 255
# Beyond it float32, in which networks compute, skips whole numbers (IEEE 754: 24 bits).
_LARGEST_EXACT = 2**24


def refusal(image: Image, contract: Contract) -> str:
    """Why a chip is refused, in words; empty for a good chip.

    Args:
        image: One chip, (C_g, H_g, W_g) by grid.
        contract: What the dataset declares.
    """
    for grid in contract.grids:
        pixels = image.get(grid.name)
        if pixels is None:
            return f"grid '{grid.name}' is missing"
        reason = _bad_array(pixels, grid) or _bad_units(pixels, grid, contract)
        if reason:
            return reason
    reason = _too_little(image, contract)
    if not reason and not contract.allows_constant and _is_constant(image):
        return "every band is constant"
    return reason


def _too_little(image: Image, contract: Contract) -> str:
    """Why a chip with missing pixels is refused; empty where enough is left."""
    shares = missing_shares(image, contract)
    if shares is None:
        return ""
    absent = absent_bands(image, contract)
    if len(absent) == len(shares) - 1:
        return "every pixel is missing"
    if absent and not contract.may_drop_bands:
        bands = "band" if len(absent) == 1 else "bands"
        return f"every pixel of {bands} {', '.join(absent)} is missing"
    if shares[0] > contract.max_missing:
        return f"{100 * shares[0]:.0f} % of its pixels are missing (--max-missing)"
    return ""


def _bad_array(pixels: Array, grid: Grid) -> str:
    if pixels.ndim != 3 or pixels.shape[0] != len(grid.bands) or 0 in pixels.shape:
        return f"shape {tuple(pixels.shape)} where ({len(grid.bands)}, H, W) is declared"
    if grid.size_px is not None and pixels.shape[1:] != grid.size_px:
        return f"size {pixels.shape[1:]} px where {grid.size_px} px is declared"
    if str(pixels.dtype) != grid.dtype:
        return f"dtype {pixels.dtype} where {grid.dtype} is declared"
    values = valid_values(pixels)
    if values.dtype.kind in "iu" and values.dtype.itemsize > 2 and values.size:
        largest = max(abs(int(values.min())), abs(int(values.max())))
        if largest > _LARGEST_EXACT:
            return f"holds {largest}, and networks see whole numbers up to {_LARGEST_EXACT} only"
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return _not_finite(values)
    return ""


def _not_finite(values: Array) -> str:
    nan, all_of_them = int(np.isnan(values).sum()), int((~np.isfinite(values)).sum())
    # Many programs write NaN for missing without saying so in the file.
    way_out = (
        " (if NaN means missing, say so in the file: 'gdal_edit.py -a_nodata nan FILE')"
        if nan == all_of_them
        else ""
    )
    return f"{all_of_them} pixels are NaN or infinite{way_out}"


def _bad_units(pixels: Array, grid: Grid, contract: Contract) -> str:
    units = {contract.units[band] for band in grid.bands}
    values = valid_values(pixels)
    if not values.size:
        return ""
    if "dB" in units and bool((values == np.round(values)).all()):
        return "every value is a whole number where dB is declared: rounded, or another unit"
    largest = float(values.max()) if units & {"DN", "reflectance", "uint8"} else 0.0
    if "DN" in units and 0 < largest <= _LARGEST_REFLECTANCE:
        return f"largest value {largest:.3g} where DN is declared: this looks like reflectance"
    smallest = float(values.min()) if units & {"linear", "amplitude", "uint8"} else 0.0
    if "uint8" in units and (smallest < 0 or largest > _LARGEST_UINT8):
        return f"values {smallest:.6g} to {largest:.6g} where uint8 is declared, 0 to 255"
    if "uint8" in units and values.dtype.kind == "f" and 0 < largest <= 1:
        return f"largest value {largest:.3g} where uint8 is declared: this looks like 0 to 1"
    if smallest < 0:
        return f"smallest value {smallest:.6g} where power is declared: this looks like dB"
    if "reflectance" in units and largest > _SURELY_DN:
        return f"largest value {largest:.6g} where reflectance is declared: this looks like DN"
    return ""


def _is_constant(image: Image) -> bool:
    return all(_is_flat(pixels) for pixels in image.values())


def _is_flat(pixels: Array) -> bool:
    if isinstance(pixels, np.ma.MaskedArray):
        return all(plane.min() == plane.max() for plane in pixels if plane.count())
    # The first row tells of nearly every true chip; the rest is half of what a small JPEG costs.
    first = pixels[:, :1, :1]
    return bool((pixels[:, :1] == first).all()) and bool((pixels == first).all())
