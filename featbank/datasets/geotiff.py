"""Places of GeoTIFF chips: bounding boxes, their CRS and centres, from the files' tags alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.datasets._crs_domain import NO_EPSG, PlacedBoxes, place
from featbank.datasets._tiff_tags import NotClassicTiff, read_tags
from featbank.datasets.decoding.refusals import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["NO_EPSG", "Places", "place_columns", "read_lonlat", "read_places", "to_lonlat"]

_WIDTH, _HEIGHT = 256, 257
_PIXEL_SCALE, _TIEPOINT, _TRANSFORMATION, _GEO_KEYS = 33550, 33922, 34264, 34735
_WANTED = frozenset({_WIDTH, _HEIGHT, _PIXEL_SCALE, _TIEPOINT, _TRANSFORMATION, _GEO_KEYS})
# GeoKey ids of OGC GeoTIFF 1.1 (19-008r4), sections 7.4 and 7.5: kind of the model, whether a
# coordinate is of a pixel's corner or centre, projected and geodetic CRS as EPSG codes.
_MODEL, _RASTER, _PROJECTED_CRS, _GEODETIC_CRS = 1024, 1025, 3072, 2048
_PROJECTED_MODEL, _GEODETIC_MODEL, _PIXEL_IS_POINT = 1, 2, 2
_USER_DEFINED = 32767
_TIFF_SUFFIXES = {".tif", ".tiff"}
_NOWHERE = (math.nan,) * 4


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where N files lie.

    Attributes:
        lonlat: (N, 2) centres in degrees, WGS 84; NaN unknown.
        bbox: (N, 4) float64 of min x, min y, max x, max y in the file's CRS; NaN unknown.
        crs: (N,) strings such as ``EPSG:32632``; '' unknown.
        notes: Which files have none, a sentence each.
    """

    lonlat: NDArray[np.float64]
    bbox: NDArray[np.float64]
    crs: NDArray[np.object_]
    notes: tuple[str, ...] = ()

    @property
    def are_known(self) -> bool:
        """Whether any file has a place."""
        return bool((self.crs != "").any())


def place_columns(root: Path, paths: Sequence[str]) -> dict[str, Any]:
    """Places of files as columns of ``Samples``: None each where no file has one."""
    found = read_places(root, paths)
    if not found.are_known:
        return {"notes": found.notes}
    return {"lonlat": found.lonlat, "bbox": found.bbox, "crs": found.crs, "notes": found.notes}


def read_lonlat(root: Path, paths: Sequence[str]) -> NDArray[np.float64] | None:
    """(N, 2) centres of ``read_places``; None where no file has a place."""
    found = read_places(root, paths)
    return found.lonlat if found.are_known else None


def read_places(root: Path, paths: Sequence[str]) -> Places:
    """Places of all files.

    A file has one where it is a TIFF with an EPSG code, a pixel grid (also a rotated one), and
    coordinates that its CRS is made for.

    Args:
        root: Folder of the files.
        paths: (N,) paths inside it.
    """
    rows = [_box(root / path) for path in paths]
    boxes = np.array([box for box, _ in rows], dtype=np.float64).reshape(-1, 4)
    placed = place(boxes, np.array([epsg for _, epsg in rows], dtype=np.int64))
    crs = np.array([f"EPSG:{code}" if code else "" for code in placed.epsg], dtype=object)
    return Places(
        lonlat=placed.lonlat,
        bbox=placed.bbox,
        crs=crs,
        notes=tuple(_notes(paths, placed)),
    )


def _notes(paths: Sequence[str], placed: PlacedBoxes) -> Iterator[str]:
    outside = np.flatnonzero(placed.is_outside)
    if len(outside):
        yield (
            f"{len(outside)} of {len(paths)} files bear coordinates outside their CRS, the first "
            f"is '{paths[outside[0]]}': they have no place"
        )
    lacking = np.flatnonzero((placed.epsg == NO_EPSG) & ~placed.is_outside)
    if len(lacking) and len(lacking) + len(outside) < len(paths):
        first = paths[lacking[0]]
        yield f"{len(lacking)} of {len(paths)} files have no place, the first is '{first}'"


def _box(path: Path) -> tuple[tuple[float, ...], int]:
    if path.suffix.lower() not in _TIFF_SUFFIXES:
        return _NOWHERE, NO_EPSG
    try:
        tags: Mapping[int, Any] = read_tags(path, _WANTED)
    except NotClassicTiff:
        tags = _tags_by_tifffile(path)
    try:
        return _box_of(tags)
    except (ValueError, TypeError, LookupError, OverflowError):
        # Damaged tags: the file is refused when it is read.
        return _NOWHERE, NO_EPSG


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


def _box_of(tags: Mapping[int, Any]) -> tuple[tuple[float, ...], int]:
    keys = _geo_keys(tags.get(_GEO_KEYS))
    affine = _affine(tags)
    size = _numbers(tags, _WIDTH, 1), _numbers(tags, _HEIGHT, 1)
    epsg = _epsg(keys)
    if affine is None or epsg == NO_EPSG or size[0] is None or size[1] is None:
        return _NOWHERE, NO_EPSG
    width, height = size[0][0], size[1][0]
    # Where coordinates are of pixel centres, the corner of the first pixel is half a pixel away.
    shift = -0.5 if keys.get(_RASTER) == _PIXEL_IS_POINT else 0.0
    columns = np.array([0, width, width, 0]) + shift
    rows = np.array([0, 0, height, height]) + shift
    x = affine[0] * columns + affine[1] * rows + affine[2]
    y = affine[3] * columns + affine[4] * rows + affine[5]
    return (float(x.min()), float(y.min()), float(x.max()), float(y.max())), epsg


def _affine(tags: Mapping[int, Any]) -> tuple[float, ...] | None:
    """(a, b, c, d, e, f) of x = a·column + b·row + c, y = d·column + e·row + f, as GDAL reads it.

    Scale and tie point come before the transformation matrix; several tie points without a scale
    are control points, which make no grid.
    """
    scale, tiepoint = _numbers(tags, _PIXEL_SCALE, 2), _numbers(tags, _TIEPOINT, 6)
    if scale is not None and scale[0] and scale[1]:
        if tiepoint is None:
            return None
        column, row, _, x, y, _ = tiepoint[:6]
        return scale[0], 0.0, x - column * scale[0], 0.0, -scale[1], y + row * scale[1]
    matrix = _numbers(tags, _TRANSFORMATION, 16)
    if matrix is None:
        return None
    return matrix[0], matrix[1], matrix[3], matrix[4], matrix[5], matrix[7]


def _numbers(tags: Mapping[int, Any], code: int, least: int) -> tuple[float, ...] | None:
    """Values of a tag; None where it is absent, damaged or too short."""
    try:
        values = np.atleast_1d(np.asarray(tags.get(code, ()), dtype=np.float64))
    except (TypeError, ValueError):
        return None
    return tuple(values.tolist()) if len(values) >= least else None


def _geo_keys(keys: object) -> dict[int, int]:
    if not isinstance(keys, tuple):
        return {}
    # Four header shorts, then (id, location, count, value) for each key; location 0 means the
    # value stands here.
    return {keys[i]: keys[i + 3] for i in range(4, len(keys) - 3, 4) if keys[i + 1] == 0}


def _epsg(keys: Mapping[int, int]) -> int:
    """EPSG code of the file's CRS; ``NO_EPSG`` where it is user defined or not said."""
    known = {_PROJECTED_MODEL: (_PROJECTED_CRS,), _GEODETIC_MODEL: (_GEODETIC_CRS,)}
    asked = known.get(keys.get(_MODEL, 0), (_PROJECTED_CRS, _GEODETIC_CRS))
    code = next((keys[key] for key in asked if key in keys), NO_EPSG)
    return NO_EPSG if code == _USER_DEFINED else int(code)


def to_lonlat(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitude and latitude of projected points.

    Args:
        centres: (N, 3) x, y in the unit of their CRS, and its EPSG code; ``NO_EPSG`` where no
            place is known.

    Returns:
        (N, 2) degrees in WGS 84, NaN where no place is known, or outside the CRS.
    """
    boxes = centres[:, [0, 1, 0, 1]]
    return place(boxes, centres[:, 2].astype(np.int64)).lonlat
