"""What is refused at the door: chips that are not what their dataset declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array, Grid, Image

# Reflectance of land stays below 1.5 even over snow and sun glint; DN is 10,000 times that, so a
# chip whose largest DN is below 1.5 is reflectance, and reflectance above 50 is DN.
_LARGEST_REFLECTANCE = 1.5
_SURELY_DN = 50.0


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What every chip of a dataset must keep.

    Attributes:
        grids: Grids with their bands and dtypes.
        units: Unit of each band by name.
        allows_constant: Whether a chip without any contrast is a true chip.
    """

    grids: tuple[Grid, ...]
    units: Mapping[str, str]
    allows_constant: bool = False


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
    if not contract.allows_constant and _is_constant(image):
        return "every band is constant"
    return ""


def _bad_array(pixels: Array, grid: Grid) -> str:
    if pixels.ndim != 3 or pixels.shape[0] != len(grid.bands) or 0 in pixels.shape:
        return f"shape {tuple(pixels.shape)} where ({len(grid.bands)}, H, W) is declared"
    if grid.size_px is not None and pixels.shape[1:] != grid.size_px:
        return f"size {pixels.shape[1:]} px where {grid.size_px} px is declared"
    if str(pixels.dtype) != grid.dtype:
        return f"dtype {pixels.dtype} where {grid.dtype} is declared"
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        return f"{int((~np.isfinite(pixels)).sum())} pixels are NaN or infinite"
    return ""


def _bad_units(pixels: Array, grid: Grid, contract: Contract) -> str:
    units = {contract.units[band] for band in grid.bands}
    if "dB" in units and bool((np.asarray(pixels) == np.round(pixels)).all()):
        return "every value is a whole number where dB is declared: rounded, or another unit"
    largest = float(pixels.max()) if units & {"DN", "reflectance"} else 0.0
    if "DN" in units and 0 < largest <= _LARGEST_REFLECTANCE:
        return f"largest value {largest:.3g} where DN is declared: this looks like reflectance"
    if "reflectance" in units and largest > _SURELY_DN:
        return f"largest value {largest:.6g} where reflectance is declared: this looks like DN"
    return ""


def _is_constant(image: Image) -> bool:
    return all(_is_flat(pixels) for pixels in image.values())


def _is_flat(pixels: Array) -> bool:
    # The first row tells of nearly every true chip; the rest is half of what a small JPEG costs.
    first = pixels[:, :1, :1]
    return bool((pixels[:, :1] == first).all()) and bool((pixels == first).all())
