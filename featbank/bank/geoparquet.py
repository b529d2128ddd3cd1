"""Places in Parquet tables by GeoParquet 1.1: a column of points and what tells readers of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from featbank.image import Array

GEOMETRY = "geometry"
VERSION = "1.1.0"
_LITTLE_ENDIAN, _POINT = 1, 1
_WKB_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])


def with_points(table: Any, lonlat: Array) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """A table with a point for each row, in WKB, null where no place is known.

    Args:
        table: ``pyarrow.Table`` of N rows.
        lonlat: (N, 2) degrees of longitude and latitude in WGS 84, NaN where unknown.

    Returns:
        The table with the column ``geometry`` and the metadata ``geo``. No CRS is named there:
        by the specification that is OGC:CRS84, which is EPSG:4326 with longitude first.

    References:
        GeoParquet 1.1.0, https://geoparquet.org/releases/v1.1.0/; OGC 06-103r4 (WKB).
    """
    import pyarrow as pa

    known = np.asarray(np.isfinite(lonlat).all(axis=1))
    points = pa.array(_points(lonlat, known), pa.binary())
    geo = {
        "version": VERSION,
        "primary_column": GEOMETRY,
        "columns": {GEOMETRY: _column(lonlat[known])},
    }
    metadata = {**(table.schema.metadata or {}), b"geo": json.dumps(geo).encode()}
    return table.append_column(GEOMETRY, points).replace_schema_metadata(metadata)


def _points(lonlat: Array, known: Array) -> list[bytes | None]:
    packed = np.empty(len(lonlat), dtype=_WKB_POINT)
    packed["order"], packed["kind"] = _LITTLE_ENDIAN, _POINT
    packed["x"], packed["y"] = lonlat.T
    pairs = zip(packed, known.tolist(), strict=True)
    return [point.tobytes() if is_known else None for point, is_known in pairs]


def _column(lonlat: Array) -> dict[str, Any]:
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Point"]}
    if len(lonlat):
        column["bbox"] = [*lonlat.min(axis=0).tolist(), *lonlat.max(axis=0).tolist()]
    return column
