"""Where the chips of the procedural landscape stand: blocks of 4 × 4 chips on a square spiral.

Chip ``i`` stands at the same place whatever the number of chips, and no two chips overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.landscape.landscape import PIXEL_M
from featbank.landscape.noise import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHIP_PX = 120
BLOCK_SIDE = 4
BLOCK_CHIPS = BLOCK_SIDE * BLOCK_SIDE
# Two chips of gap: beyond the largest structures of the landscape, blocks are nearly independent.
_BLOCK_STEP_PX = (BLOCK_SIDE + 2) * CHIP_PX
# The plane's pixel (0, 0) in EPSG:32632: the zone's central meridian, southern Germany.
_EASTING_M, _NORTHING_M = 500_000.0, 5_400_000.0


def chip_window(index: int) -> Window:
    """The pixels of chip ``index``, in the landscape's 10 m plane."""
    row, column = chip_corners(np.array([index]))[0].tolist()
    return Window(row=row, column=column, height=CHIP_PX, width=CHIP_PX)


def block_window(block: int) -> Window:
    """The pixels of the 16 chips of a block."""
    row, column = chip_corners(np.array([block * BLOCK_CHIPS]))[0].tolist()
    side = BLOCK_SIDE * CHIP_PX
    return Window(row=row, column=column, height=side, width=side)


def chip_corners(indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N, 2) first row and first column of chips.

    Args:
        indices: (N,) chip numbers, at least 0.
    """
    block, place = np.divmod(indices, BLOCK_CHIPS)
    inside = np.stack(np.divmod(place, BLOCK_SIDE), axis=1) * CHIP_PX
    corners: NDArray[np.int64] = spiral(block) * _BLOCK_STEP_PX + inside
    return corners


def chip_centres_m(indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N, 2) easting and northing of the centres of chips, EPSG:32632 in metres."""
    centres = (chip_corners(indices) + CHIP_PX / 2) * PIXEL_M
    return np.stack([_EASTING_M + centres[:, 1], _NORTHING_M - centres[:, 0]], axis=1)


def spiral(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N, 2) row and column on a square spiral around (0, 0).

    Args:
        numbers: (N,) places along the spiral, at least 0.

    Example:
        >>> spiral(np.arange(4)).tolist()
        [[0, 0], [0, 1], [1, 1], [1, 0]]
    """
    ring = np.ceil((np.sqrt(numbers + 1.0) - 1) / 2).astype(np.int64)
    # A ring's four sides are 2 × ring long; it starts beside its upper right corner, going down.
    along = numbers - (2 * ring - 1) ** 2
    side, step = np.divmod(along, np.maximum(2 * ring, 1))
    step = step + 1
    rows = np.select(
        [side == 0, side == 1, side == 2], [step - ring, ring, ring - step], default=-ring
    )
    columns = np.select(
        [side == 0, side == 1, side == 2], [ring, ring - step, -ring], default=step - ring
    )
    places = np.stack([rows, columns], axis=1)
    places[numbers == 0] = 0
    return places
