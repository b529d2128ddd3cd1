"""Blocks on the ground: chips of one block stand in one split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Chips nearer than this share weather, season and fields; about 10 km at mid latitudes.
BLOCK_DEGREES = 0.1
# Edges of smaller blocks, for chips that all lie within a few large ones.
EDGES_M = (5000, 2000, 1000, 500, 200, 100, 50, 20, 10)
_NO_CELL = -1e6
# UTM is defined from 80° S to 84° N in zones of 6° (NGA.SIG.0012, section 3); nearer to a pole the
# universal polar stereographic grids take over.
_ZONE_DEGREES, _SOUTHERN_END, _NORTHERN_END = 6, -80, 84
_UTM_NORTH, _UTM_SOUTH, _UPS_NORTH, _UPS_SOUTH = 32600, 32700, 32661, 32761


def degree_blocks(lonlat: NDArray[np.float64]) -> NDArray[np.intp]:
    """(N,) block of ``BLOCK_DEGREES`` of each place; places that are unknown share one."""
    cells = np.nan_to_num(np.floor(lonlat / BLOCK_DEGREES), nan=_NO_CELL)
    return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)


def local_metres(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places in the metric grid of their UTM zone, or of their pole.

    Args:
        lonlat: (N, 2) degrees, WGS 84.

    Returns:
        (N, 3) EPSG code of the grid, easting, northing in m; NaN where no place is known.
    """
    from pyproj import Transformer

    out = np.full((len(lonlat), 3), np.nan)
    known = np.isfinite(lonlat).all(axis=1)
    out[known, 0] = _grid_of(lonlat[known])
    for code in np.unique(out[known, 0]):
        rows = out[:, 0] == code
        transformer = Transformer.from_crs("EPSG:4326", f"EPSG:{int(code)}", always_xy=True)
        out[rows, 1:] = np.stack(transformer.transform(*lonlat[rows].T), axis=1)
    return out


def _grid_of(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    lon, lat = lonlat.T
    zone = np.clip(np.floor((lon + 180) / _ZONE_DEGREES), 0, 59) + 1
    code = np.where(lat >= 0, _UTM_NORTH, _UTM_SOUTH) + zone
    code = np.where(lat > _NORTHERN_END, _UPS_NORTH, code)
    return np.where(lat < _SOUTHERN_END, _UPS_SOUTH, code).astype(np.float64)


def metre_blocks(metres: NDArray[np.float64], edge_m: float) -> NDArray[np.intp]:
    """(N,) block of each place of ``local_metres``; one whose place is unknown stands alone."""
    cells = np.concatenate([metres[:, :1], np.floor(metres[:, 1:] / edge_m)], axis=1)
    unknown = np.flatnonzero(~np.isfinite(cells).all(axis=1))
    cells[unknown] = np.stack([np.full(len(unknown), -1), unknown, unknown], axis=1)
    return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)


def edge_name(edge_m: int) -> str:
    """An edge as schemes are named.

    Example:
        >>> edge_name(2000), edge_name(500)
        ('2km', '500m')
    """
    return f"{edge_m // 1000}km" if edge_m >= 1000 else f"{edge_m}m"
