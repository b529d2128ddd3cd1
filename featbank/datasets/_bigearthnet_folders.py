"""Telling the edition from the folders on disk, and listing its patches without a stat each."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._bigearthnet_editions import (
    EDITIONS,
    PATCH_M,
    SENSOR_NAMES,
    Edition,
)
from featbank.datasets._folder_listing import is_skipped
from featbank.datasets._sentinel2_tiles import cell_centres
from featbank.errors import DatasetError, MissingPathError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class PatchNames:
    """What the names of N patches tell.

    Attributes:
        names: (N,) patch names, sorted.
        groups: (N,) acquisitions: product and, where the name has it, tile.
        times: (N,) acquisition times as the name has them.
        centres: (N, 3) easting, northing, EPSG code; zeros where names bear no tile.
    """

    names: list[str]
    groups: list[str]
    times: list[str]
    centres: NDArray[np.float64]


def find_edition(root: Path | None) -> tuple[Path, Edition]:
    """The data root, and the edition whose folders stand in it.

    Raises:
        MissingPathError: The root is not there.
        DatasetError: No edition's folders, or those of both.
    """
    if root is None or not root.is_dir():
        raise MissingPathError(
            str(root), "there is no such folder", "BigEarthNet's data root", "Check the path."
        )
    present = {entry.name for entry in os.scandir(root) if entry.is_dir()}
    found = [e for e in EDITIONS if present & set(e.folders.values())]
    if len(found) == 1:
        return root, found[0]
    folders = [" or ".join(e.folders.values()) for e in found or EDITIONS]
    raise DatasetError(
        str(root),
        f"holds folders of both editions ({'; '.join(folders)})"
        if found
        else "holds no folder of BigEarthNet",
        "the folders of one edition" if found else f"{' (v1.0), or '.join(folders)} (v2.0)",
        "Give each edition a data root of its own."
        if found
        else "Pass the folder that holds them as --data-root.",
    )


def list_patches(root: Path, edition: Edition, sensor: str) -> PatchNames:
    """Names of all patches of a sensor, with what they tell.

    Raises:
        MissingPathError: The sensor's folder is not there.
        DatasetError: No patch, or a folder that is not named as this edition names them.
    """
    folder = root / edition.folders[sensor]
    if not folder.is_dir():
        raise MissingPathError(
            str(root),
            f"holds {edition.name} without its {SENSOR_NAMES[sensor]} images",
            f"the folder {edition.folders[sensor]}",
            "Unpack it there, or take the dataset of the other sensor.",
        )
    names = sorted(_nested(folder) if edition.fields[sensor] else _children(folder))
    if not names:
        raise DatasetError(
            str(folder), "holds no patch folders", "one folder for each patch", "Unpack it again."
        )
    return _parse(names, folder, edition, sensor)


def _nested(folder: Path) -> Iterator[str]:
    for scene in _children(folder):
        patches = _children(folder / scene)
        if not patches:
            raise DatasetError(
                f"{folder.name}/{scene}",
                "holds no patch folders",
                f"a scene's folder with patches such as {scene}_26_57 inside",
                "Unpack it again; patches that stand directly here are those of v1.0.",
            )
        yield from patches


def _children(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [e.name for e in entries if e.is_dir() and not is_skipped(e.name)]


def _parse(names: list[str], folder: Path, edition: Edition, sensor: str) -> PatchNames:
    pattern = edition.patches[sensor]
    groups, times, tiles, columns, rows = [], [], [], [], []
    for name in names:
        match = pattern.fullmatch(name)
        if match is None:
            raise _misnamed(name, folder, edition, sensor)
        parts = match.groupdict()
        # A few hundred acquisitions repeat half a million times: one string for each.
        groups.append(sys.intern(parts["group"]))
        times.append(sys.intern(parts["time"]))
        tiles.append(sys.intern(parts.get("tile", "")))
        columns.append(int(parts["column"]))
        rows.append(int(parts["row"]))
    has_tiles = "tile" in pattern.groupindex
    centres = (
        cell_centres(tiles, np.array(columns), np.array(rows), size_m=PATCH_M)
        if has_tiles
        else np.zeros((len(names), 3))
    )
    return PatchNames(names=names, groups=groups, times=times, centres=centres)


def _misnamed(name: str, folder: Path, edition: Edition, sensor: str) -> DatasetError:
    other = next(e for e in EDITIONS if e is not edition)
    return DatasetError(
        f"{folder.name}/{name}",
        f"is not named like a {SENSOR_NAMES[sensor]} patch of {edition.name}",
        f"folders such as {edition.examples[sensor]}",
        f"Images of {other.name} belong in a folder named {other.folders[sensor]}; move anything "
        "else away.",
    )
