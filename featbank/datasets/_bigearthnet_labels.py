"""Label files of BigEarthNet v1.0: one small JSON for each patch, read by a pool of threads."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.datasets._bigearthnet_editions import PATCH_M
from featbank.datasets._clc import CLASSES_43, indices_43
from featbank.datasets.geotiff import NO_EPSG
from featbank.errors import DatasetError
from featbank.json_file import DamagedJson, parse_object
from featbank.samples import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# Half a million files wait for the disk, not for the parser, which holds the interpreter: more
# threads than cores keep a network disk busy, and chunks keep their hand-overs rare.
_THREADS, _CHUNK = 16, 512
# EPSG's codes of coordinate systems have four or five digits; 32633 is UTM zone 33 north.
_EPSG = re.compile(r"[0-9]{4,5}")
# Four digits of a year: what NumPy reads beyond them is no date of a satellite.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(\D|$)", re.ASCII)
# No map projection of the Earth has coordinates as large.
_FAR_M = 1e9


@dataclass(frozen=True, kw_only=True)
class LabelFiles:
    """What the label files of N patches say.

    Attributes:
        codes: (N, 43) int8 labels.
        s2_names: (N,) Sentinel-2 patch that a Sentinel-1 file names, empty elsewhere.
        tiles: (N,) MGRS tile that a Sentinel-2 file names, empty elsewhere.
        times: (N,) seconds since 1970-01-01.
        centres: (N, 3) easting, northing, EPSG code.
    """

    codes: NDArray[np.int8]
    s2_names: list[str]
    tiles: list[str]
    times: NDArray[np.int64]
    centres: NDArray[np.float64]


def read_label_files(folder: Path, names: Sequence[str]) -> LabelFiles:
    """Read the label file of each patch.

    Args:
        folder: The sensor's folder.
        names: (N,) patch names.

    Raises:
        DatasetError: A file is missing, does not parse, or holds an unknown label.
    """
    chunks = [names[start : start + _CHUNK] for start in range(0, len(names), _CHUNK)]
    with ThreadPoolExecutor(_THREADS) as pool:
        parts = list(pool.map(lambda chunk: _read_chunk(folder, chunk), chunks))
    return LabelFiles(
        codes=np.concatenate([part.codes for part in parts]),
        s2_names=[name for part in parts for name in part.s2_names],
        tiles=[tile for part in parts for tile in part.tiles],
        times=np.concatenate([part.times for part in parts]),
        centres=np.concatenate([part.centres for part in parts]),
    )


def _read_chunk(folder: Path, names: Sequence[str]) -> LabelFiles:
    codes = np.zeros((len(names), len(CLASSES_43)), dtype=np.int8)
    centres = np.zeros((len(names), 3))
    times = np.full(len(names), NO_TIME)
    s2_names, tiles = [], []
    for row, name in enumerate(names):
        path = f"{name}/{name}_labels_metadata.json"
        record = _load(folder, path)
        codes[row, indices_43(record["labels"], source=path)] = 1
        centres[row] = _centre(record, path)
        times[row] = _seconds(record, path)
        s2_names.append(_text(record, "corresponding_s2_patch", path))
        tiles.append(_tile(_text(record, "tile_source", path)))
    return LabelFiles(codes=codes, s2_names=s2_names, tiles=tiles, times=times, centres=centres)


def _load(folder: Path, path: str) -> dict[str, Any]:
    try:
        with open(f"{folder}/{path}", "rb", buffering=0) as file:
            record = parse_object(file.read())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise DatasetError(
            path, "is missing", "a label file in every patch folder", "Unpack the archive again."
        ) from None
    except DamagedJson as error:
        raise _broken(path, f"does not parse: it {error}") from error
    labels = record.get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise _broken(path, "holds no list of labels")
    return record


def _text(record: dict[str, Any], name: str, path: str) -> str:
    """A field that is text or not there."""
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise _broken(path, f"holds no text as '{name}'")
    return value or ""


def _broken(path: str, found: str) -> DatasetError:
    return DatasetError(
        path, found, "the publisher's JSON with its labels", "Unpack the archive again."
    )


def _centre(record: dict[str, Any], path: str) -> tuple[float, float, int]:
    # The projection is well-known text; its last authority code is that of the whole.
    parts = _text(record, "projection", path).rsplit('"', 2)
    corner = record.get("coordinates") or {}
    if not isinstance(corner, dict):
        raise _broken(path, "holds no coordinates by name")
    if len(parts) < 3 or not _EPSG.fullmatch(parts[1]) or not {"ulx", "uly"} <= set(corner):
        return 0.0, 0.0, NO_EPSG
    x, y = corner["ulx"], corner["uly"]
    if not _is_metres(x) or not _is_metres(y):
        raise _broken(path, f"holds the corner {x!r}, {y!r}")
    return x + PATCH_M / 2, y - PATCH_M / 2, int(parts[1])


def _is_metres(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _FAR_M


def _seconds(record: dict[str, Any], path: str) -> int:
    text = _text(record, "acquisition_time", path) or _text(record, "acquisition_date", path)
    if not text:
        return NO_TIME
    if not _TIME.match(text):
        raise _broken(path, f"holds the time '{text}'")
    try:
        return int(np.datetime64(text, "s").astype(np.int64))
    except ValueError as error:
        raise _broken(path, f"holds the time '{text}'") from error


def _tile(source: str) -> str:
    # S2B_MSIL1C_20170927T094019_N0205_R036_T35VLC_20170927T094016.SAFE
    fields = source.split("_")
    return sys.intern(fields[5]) if len(fields) > 5 else ""
