"""The dataset-wide check of Sentinel-1: VV is brighter than VH, always."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ContractError
from featbank.inputs.missing import valid_mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.image import Array, Grid

_PAIR = ("VV", "VH")


class PolarisationLevels:
    """Mean level of VV and VH over the chips looked at.

    Depolarised power is a few dB below the co-polarised over any land or sea (6 to 7 dB over
    BigEarthNet), so VV at or below VH means that the two were swapped. A torchgeo-bench statistics
    table has them so.

    Args:
        grids: The dataset's grids.
    """

    def __init__(self, grids: tuple[Grid, ...]) -> None:
        self._at = {
            band: (grid.name, grid.bands.index(band))
            for band in _PAIR
            for grid in grids
            if band in grid.bands
        }
        self._sums = np.zeros(len(_PAIR))
        self._counts = np.zeros(len(_PAIR))

    def add(self, planes: Mapping[str, Array]) -> None:
        """Take in (b, C_g, H_g, W_g) pixels by grid, and their masks where some are missing."""
        if len(self._at) < len(_PAIR):
            return
        for i, band in enumerate(_PAIR):
            grid, row = self._at[band]
            values, valid = planes[grid][:, row], valid_mask(planes, grid)
            values = values if valid is None else values[valid[:, row]]
            self._sums[i] += values.sum(dtype=np.float64)
            self._counts[i] += values.size

    def require_order(self, dataset: str) -> None:
        """Raise where VV is not above VH.

        Raises:
            ContractError: Tells both levels.
        """
        if not self._counts.all():
            return
        vv, vh = self._sums / self._counts
        if vv <= vh:
            raise ContractError(
                dataset,
                f"mean VV is {vv:.2f} dB and mean VH is {vh:.2f} dB",
                "VV above VH, by 6 to 7 dB over land",
                "The two are swapped, or are not backscatter: correct the files.",
            )
