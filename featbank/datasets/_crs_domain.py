"""Boxes of any CRS on the globe; coordinates that a CRS is not made for are no places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

# EPSG code that stands for 'no place known'.
NO_EPSG = 0
# The military grid runs over a zone's edge by up to 3° (32V, 33X), and scenes over a country's
# border: further away than this a coordinate was not meant.
_MARGIN_DEGREES = 5.0
# UTM eastings stay between these (NGA.SIG.0012, section 2: 100 km squares A to H of a zone), in
# every latitude. Landsat counts southern northings from the northern zone's origin, below zero.
_EASTINGS_M = (100_000.0, 900_000.0)
_ZONES = range(1, 61)
_UTM_CODES = frozenset({*(32600 + z for z in _ZONES), *(32700 + z for z in _ZONES)})
_UTM_LATITUDE = 85.0
# How near a point must come to itself on the globe and back, in units of its CRS and as a part of
# its coordinates: far more than any datum shift loses, far less than a turn round the globe.
_BACK, _BACK_SHARE = 1.0, 1e-6


@dataclass(frozen=True, kw_only=True)
class PlacedBoxes:
    """N boxes on the globe.

    Attributes:
        lonlat: (N, 2) centres in degrees, WGS 84; NaN where none is known.
        bbox: (N, 4) boxes in their CRS; NaN where no place is known.
        epsg: (N,) codes; ``NO_EPSG`` where no place is known.
        is_outside: (N,) whether the coordinates lie outside their CRS, or its code is unknown.
    """

    lonlat: NDArray[np.float64]
    bbox: NDArray[np.float64]
    epsg: NDArray[np.int64]
    is_outside: NDArray[np.bool_]


def place(boxes: NDArray[np.float64], epsg: NDArray[np.int64]) -> PlacedBoxes:
    """Find boxes on the globe by their centres.

    Args:
        boxes: (N, 4) min x, min y, max x, max y in the unit of their CRS.
        epsg: (N,) its code; ``NO_EPSG`` where no place is known.
    """
    lonlat = np.full((len(boxes), 2), np.nan)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    for code in set(epsg.tolist()) - {NO_EPSG}:
        rows = np.flatnonzero(epsg == code)
        found = _lonlat_of(centres[rows], int(code))
        lonlat[rows] = found
    known = np.isfinite(lonlat).all(axis=1)
    return PlacedBoxes(
        lonlat=lonlat,
        bbox=np.where(known[:, None], boxes, np.nan),
        epsg=np.where(known, epsg, NO_EPSG),
        is_outside=(epsg != NO_EPSG) & ~known,
    )


def _lonlat_of(points: NDArray[np.float64], code: int) -> NDArray[np.float64]:
    """(n, 2) degrees of points of one CRS, NaN outside of it."""
    from pyproj import Transformer

    crs = _crs(code)
    if crs is None:
        return np.full(points.shape, np.nan)
    transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    lonlat = np.stack(transformer.transform(points[:, 0], points[:, 1]), axis=1)
    with np.errstate(invalid="ignore"):
        inside = np.isfinite(lonlat).all(axis=1)
        inside &= (np.abs(lonlat) <= (180.0, 90.0)).all(axis=1)
        inside &= _is_meant(points, lonlat, code, crs)
        if crs.is_projected:
            # Far out, projections wrap round the globe: such a place leads back to another point.
            there = transformer.transform(lonlat[:, 0], lonlat[:, 1], direction="INVERSE")
            back = np.abs(np.stack(there, axis=1) - points)
            inside &= (back <= _BACK + _BACK_SHARE * np.abs(points)).all(axis=1)
    return np.where(inside[:, None], lonlat, np.nan)


def _is_meant(
    points: NDArray[np.float64], lonlat: NDArray[np.float64], code: int, crs: CRS
) -> NDArray[np.bool_]:
    if code in _UTM_CODES:
        low, high = _EASTINGS_M
        in_zone = (points[:, 0] >= low) & (points[:, 0] <= high)
        return np.asarray(in_zone & (np.abs(lonlat[:, 1]) <= _UTM_LATITUDE))
    area = crs.area_of_use
    if area is None:
        return np.ones(len(points), dtype=bool)
    # An area across the antimeridian has its west end east of its east end.
    width = (area.east - area.west) % 360 or 360.0
    east_of_west = (lonlat[:, 0] - area.west + _MARGIN_DEGREES) % 360
    in_width = (east_of_west <= width + 2 * _MARGIN_DEGREES) | (width >= 360 - 2 * _MARGIN_DEGREES)
    low, high = area.south - _MARGIN_DEGREES, area.north + _MARGIN_DEGREES
    return np.asarray(in_width & (lonlat[:, 1] >= low) & (lonlat[:, 1] <= high))


@lru_cache(maxsize=256)
def _crs(code: int) -> CRS | None:
    """A coordinate system on the ground by its EPSG code; None where there is none."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_epsg(code)
    except CRSError:
        return None
    return crs if crs.is_projected or crs.is_geographic else None
