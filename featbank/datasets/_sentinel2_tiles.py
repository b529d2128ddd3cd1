"""Where a Sentinel-2 tile stands, from its name: the tiling grid follows from MGRS alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SQUARE_M = 100_000
# Column letters of 100 km squares by zone (NGA.STND.0037, MGRS): three sets of eight, from 100 km
# east; row letters repeat every 2,000 km and start at F in even zones.
_COLUMN_SETS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_EVEN_ZONE_SHIFT = 5
_BANDS_NORTH = "NPQRSTUVWX"
_BAND_DEGREES, _METRES_PER_DEGREE = 8, 111_000
# Tile corners lie on multiples of 60 m, the coarsest pixel, rounded outwards.
_SNAP_M = 60
_EPSG_NORTH = 32600


@lru_cache
def tile_corner(tile: str) -> tuple[int, int, int]:
    """Upper left corner of a tile of the northern hemisphere.

    Args:
        tile: MGRS name of the 100 km square, such as ``33UUP``.

    Returns:
        Easting and northing in metres, EPSG code of the UTM zone.

    Example:
        >>> tile_corner("33UUP")
        (300000, 5400000, 32633)
    """
    zone, band, column, row = int(tile[:2]), tile[2], tile[3], tile[4]
    east = (_COLUMN_SETS[zone % 3].index(column) + 1) * _SQUARE_M
    shift = 0 if zone % 2 else _EVEN_ZONE_SHIFT
    south = (_ROWS.index(row) - shift) % len(_ROWS) * _SQUARE_M
    period = len(_ROWS) * _SQUARE_M
    # A band is 890 km high and row letters repeat after 2,000: the nearest repeat is the only one.
    middle = (_BANDS_NORTH.index(band) + 0.5) * _BAND_DEGREES * _METRES_PER_DEGREE
    south += round((middle - south - _SQUARE_M / 2) / period) * period
    north = south + _SQUARE_M
    return east // _SNAP_M * _SNAP_M, -(-north // _SNAP_M) * _SNAP_M, _EPSG_NORTH + zone


def cell_centres(
    tiles: Sequence[str], columns: NDArray[np.int64], rows: NDArray[np.int64], *, size_m: int
) -> NDArray[np.float64]:
    """Centres of the cells that tiles are cut into, row by row from the upper left corner.

    Args:
        tiles: (N,) tile names.
        columns: (N,) cells to the right.
        rows: (N,) cells down.
        size_m: Side of a cell.

    Returns:
        (N, 3) easting, northing and EPSG code.
    """
    corners = np.array([tile_corner(tile) for tile in tiles], dtype=np.float64).reshape(-1, 3)
    corners[:, 0] += (columns + 0.5) * size_m
    corners[:, 1] -= (rows + 0.5) * size_m
    return corners
