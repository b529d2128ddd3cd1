"""Label files of BigEarthNet v1.0: one small JSON for each patch, read by a pool of threads."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.datasets._bigearthnet_editions import PATCH_M
from featbank.datasets._clc import CLASSES_43, indices_43
from featbank.datasets.geotiff import NO_EPSG
from featbank.errors import DatasetError
from featbank.samples import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# Half a million files wait for the disk, not for the parser, which holds the interpreter: more
# threads than cores keep a network disk busy, and chunks keep their hand-overs rare.
_THREADS, _CHUNK = 16, 512


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
        centres[row] = _centre(record)
        times[row] = _seconds(record, path)
        s2_names.append(record.get("corresponding_s2_patch", ""))
        tiles.append(_tile(record.get("tile_source", "")))
    return LabelFiles(codes=codes, s2_names=s2_names, tiles=tiles, times=times, centres=centres)


def _load(folder: Path, path: str) -> dict[str, Any]:
    try:
        with open(f"{folder}/{path}", "rb", buffering=0) as file:
            record = json.loads(file.read())
    except FileNotFoundError:
        raise DatasetError(
            path, "is missing", "a label file in every patch folder", "Unpack the archive again."
        ) from None
    except ValueError as error:
        raise _broken(path, f"does not parse ({error})") from error
    if not isinstance(record, dict) or not isinstance(record.get("labels"), list):
        raise _broken(path, "holds no list of labels")
    return record


def _broken(path: str, found: str) -> DatasetError:
    return DatasetError(
        path, found, "the publisher's JSON with its labels", "Unpack the archive again."
    )


def _centre(record: dict[str, Any]) -> tuple[float, float, int]:
    # The projection is well-known text; its last authority code is that of the whole.
    parts = str(record.get("projection", "")).rsplit('"', 2)
    corner = record.get("coordinates", {})
    if len(parts) < 3 or not parts[1].isdigit() or not {"ulx", "uly"} <= set(corner):
        return 0.0, 0.0, NO_EPSG
    return corner["ulx"] + PATCH_M / 2, corner["uly"] - PATCH_M / 2, int(parts[1])


def _seconds(record: dict[str, Any], path: str) -> int:
    text = record.get("acquisition_time") or record.get("acquisition_date") or "NaT"
    try:
        return int(np.datetime64(text, "s").astype(np.int64))
    except ValueError as error:
        raise _broken(path, f"holds the time '{text}'") from error


def _tile(source: str) -> str:
    # S2B_MSIL1C_20170927T094019_N0205_R036_T35VLC_20170927T094016.SAFE
    fields = source.split("_")
    return sys.intern(fields[5]) if len(fields) > 5 else ""
