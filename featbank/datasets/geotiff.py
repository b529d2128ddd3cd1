"""Places of GeoTIFF chips: the centre's longitude and latitude, from the file's tags alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.datasets._tiff_tags import NotClassicTiff, read_tags
from featbank.datasets.decoding.refusals import FAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_WIDTH, _HEIGHT = 256, 257
_PIXEL_SCALE, _TIEPOINT, _GEO_KEYS = 33550, 33922, 34735
_WANTED = frozenset({_WIDTH, _HEIGHT, _PIXEL_SCALE, _TIEPOINT, _GEO_KEYS})
# GeoKey ids of OGC GeoTIFF 1.1 (19-008r4), section 7.5: projected and geodetic CRS as EPSG codes.
_PROJECTED_CRS, _GEODETIC_CRS = 3072, 2048
_USER_DEFINED = 32767
# EPSG code that stands for 'no place known'.
NO_EPSG = 0
_TIFF_SUFFIXES = {".tif", ".tiff"}


def read_lonlat(root: Path, paths: Sequence[str]) -> NDArray[np.float64] | None:
    """Centres of all files.

    Returns:
        (N, 2) degrees in WGS 84, NaN for a broken file; None unless every other file is a TIFF
        with an EPSG code and a north-up pixel grid.
    """
    centres = np.empty((len(paths), 3))
    for row, path in enumerate(paths):
        centre = _centre(root / path)
        if centre is None:
            return None
        centres[row] = centre
    return to_lonlat(centres) if np.isfinite(centres).any(axis=0).all() else None


def _centre(path: Path) -> tuple[float, float, int] | None:
    if path.suffix.lower() not in _TIFF_SUFFIXES:
        return None
    nowhere = (math.nan, math.nan, NO_EPSG)
    try:
        tags = read_tags(path, _WANTED)
    except NotClassicTiff:
        tags = _tags_by_tifffile(path)
    try:
        return nowhere if _HEIGHT not in tags else _centre_of(tags)
    except (ValueError, TypeError, LookupError, OverflowError):
        # Damaged tags: the file is refused when it is read.
        return nowhere


def _tags_by_tifffile(path: Path) -> dict[int, Any]:
    # BigTIFF and rarer kinds; empty for a broken file, which is refused when it is read.
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            tags = tiff.pages.first.tags
            return {code: tags.valueof(code) for code in _WANTED if code in tags}
    except OSError:
        raise
    except FAULTS:
        return {}


def _centre_of(tags: Mapping[int, Any]) -> tuple[float, float, int] | None:
    scale, tiepoint, epsg = tags.get(_PIXEL_SCALE), tags.get(_TIEPOINT), _epsg(tags.get(_GEO_KEYS))
    if scale is None or tiepoint is None or epsg is None:
        return None
    if len(scale) < 2 or len(tiepoint) < 6:
        return None
    (width,), (height,) = np.atleast_1d(tags[_WIDTH]), np.atleast_1d(tags[_HEIGHT])
    column, row, _, x, y, _ = tiepoint[:6]
    return x + (width / 2 - column) * scale[0], y - (height / 2 - row) * scale[1], epsg


def _epsg(keys: object) -> int | None:
    if not isinstance(keys, tuple):
        return None
    # Four header shorts, then (id, location, count, value) for each key; location 0 means the
    # value stands here.
    entries = {keys[i]: keys[i + 3] for i in range(4, len(keys) - 3, 4) if keys[i + 1] == 0}
    code = entries.get(_PROJECTED_CRS, entries.get(_GEODETIC_CRS))
    return None if code in (None, _USER_DEFINED) else int(code)


def to_lonlat(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitude and latitude of projected points.

    Args:
        centres: (N, 3) x, y in the unit of their CRS, and its EPSG code; ``NO_EPSG`` where no
            place is known.

    Returns:
        (N, 2) degrees in WGS 84, NaN where no place is known.
    """
    from pyproj import Transformer
    from pyproj.exceptions import CRSError

    lonlat = np.full((len(centres), 2), np.nan)
    for epsg in set(centres[:, 2].astype(int)) - {NO_EPSG}:
        rows = centres[:, 2] == epsg
        try:
            transformer = Transformer.from_crs(f"EPSG:{epsg}", "EPSG:4326", always_xy=True)
        except CRSError:
            continue  # a code that nobody registered, or of no map
        lonlat[rows] = np.stack(transformer.transform(centres[rows, 0], centres[rows, 1]), axis=1)
    return lonlat
