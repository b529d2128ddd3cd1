"""BigEarthNet v1.0: label files, official split lists, and the lists of patches left out."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._bigearthnet_editions import S1, S2, V1
from featbank.datasets._bigearthnet_folders import PatchNames, list_patches
from featbank.datasets._bigearthnet_labels import LabelFiles, read_label_files
from featbank.datasets._bigearthnet_pairs import pair_rows
from featbank.datasets._bigearthnet_table import (
    CLOUD,
    LABELS_19,
    LABELS_43,
    NO_LABEL,
    SNOW,
    Table,
)
from featbank.datasets._clc import CLASSES_19, CLASSES_43, merge_to_19
from featbank.datasets.splitting import split_lists as lists
from featbank.datasets.splitting.listed_splits import ListedSplits
from featbank.errors import DatasetError
from featbank.samples import UNLABELLED, LabelSet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_ENDINGS = (".csv", ".csv.bz2")
_PREFIXES = ("", "bigearthnet-")
SPLIT_FILES = {
    split: tuple(f"{prefix}{split}{ending}" for prefix in _PREFIXES for ending in _ENDINGS)
    for split in ("train", "val", "test")
}
# In this order: a patch of two lists bears the first reason.
_EXCLUDE_FILES = {
    SNOW: ("patches_with_seasonal_snow",),
    CLOUD: ("patches_with_cloud_and_shadow",),
    NO_LABEL: ("patches_with_no_19_class_targets", "patches_with_no_19_class_target"),
}


def read_v1(root: Path, sensors: Sequence[str], splits: Path | None) -> Table:
    """Rows of one sensor, or of the pairs of both.

    Raises:
        MissingPathError: A sensor's folder, or what ``splits`` names, is not there.
        DatasetError: A label file or list that cannot be used, or no pair at all.
    """
    patches = {sensor: list_patches(root, V1, sensor) for sensor in sensors}
    files = {s: read_label_files(root / V1.folders[s], p.names) for s, p in patches.items()}
    if S1 in files:
        _require_partners(patches[S1], files[S1])
    rows, notes = _rows(patches, files)
    main = S2 if S2 in sensors else S1
    kept = rows[main]
    names = {s: [patches[s].names[row] for row in rows[s]] for s in sensors}
    s2_names = names.get(S2) or [files[S1].s2_names[row] for row in kept]
    codes = files[main].codes[kept]
    merged = merge_to_19(codes)
    listed, exclude = _read_lists(root, splits, s2_names)
    exclude[(exclude == "") & ~merged.any(axis=1)] = NO_LABEL
    listed = None if listed is None else replace(listed, exclude=exclude)
    tiles = [files[main].tiles[row] for row in kept]
    groups = [patches[main].groups[row] for row in kept]
    return Table(
        names=names,
        s2_names=s2_names,
        labels={
            LABELS_19: LabelSet(classes=CLASSES_19, codes=merged),
            LABELS_43: LabelSet(classes=CLASSES_43, codes=codes),
        },
        splits=_unlisted(len(kept)) if listed is None else listed.codes(),
        has_splits=listed is not None,
        exclude=exclude,
        # A name without its tile stands for up to four tiles of one pass.
        groups=[sys.intern(f"{g}_{t}") if t else g for g, t in zip(groups, tiles, strict=True)],
        times=files[main].times[kept],
        centres=files[main].centres[kept],
        notes=(*notes, *(() if listed is None else listed.notes())),
    )


def _unlisted(n: int) -> NDArray[np.int8]:
    return np.full(n, UNLABELLED, dtype=np.int8)


def _require_partners(patches: PatchNames, files: LabelFiles) -> None:
    for name, s2_name in zip(patches.names, files.s2_names, strict=True):
        if not s2_name:
            raise DatasetError(
                f"{name}_labels_metadata.json",
                "does not name its Sentinel-2 patch",
                "an entry 'corresponding_s2_patch'",
                "Unpack the archive again.",
            )


def _rows(
    patches: dict[str, PatchNames], files: dict[str, LabelFiles]
) -> tuple[dict[str, NDArray[np.intp]], tuple[str, ...]]:
    if len(patches) == 1:
        return {sensor: np.arange(len(p.names)) for sensor, p in patches.items()}, ()
    return pair_rows(files[S1].s2_names, patches[S2].names)


def _read_lists(
    root: Path, splits: Path | None, s2_names: Sequence[str]
) -> tuple[ListedSplits | None, NDArray[np.object_]]:
    """The split lists, if there are any, and why each patch is to be left out."""
    files = split_files(root, splits)
    listed = {split: _s2_names(path) for split, path in files.items()}
    folders = [*lists.search_folders(root, splits), *lists.search_folders(root, None)]
    excluded = {
        reason: (path, set(_s2_names(path)))
        for reason, stems in _EXCLUDE_FILES.items()
        if (path := lists.find_list(folders, (s + end for s in stems for end in _ENDINGS)))
    }
    everything = [*listed.values(), *(list(names) for _, names in excluded.values())]
    if files:
        lists.refuse_foreign(everything, s2_names, next(iter(files.values())))
    exclude = np.full(len(s2_names), "", dtype=object)
    for reason, (_, names) in excluded.items():
        hits = np.array([name in names for name in s2_names])
        exclude[hits & (exclude == "")] = reason
    is_one = splits is not None and splits.is_file()
    # Copies are mostly parts: of some the whole validation split is elsewhere.
    found = ListedSplits(keys=s2_names, files=files, names=listed, is_one=is_one, is_part=True)
    return found if files else None, exclude


def split_files(root: Path, splits: Path | None) -> dict[str, Path]:
    """List by split, as far as they are there.

    Raises:
        MissingPathError: ``splits`` names something that is not there.
        DatasetError: ``splits`` names something that is no list of this edition.
    """
    folders = lists.search_folders(root, splits)
    if splits is not None and splits.is_file():
        found = {split: splits for split, names in SPLIT_FILES.items() if splits.name in names}
    else:
        found = {
            split: path
            for split, names in SPLIT_FILES.items()
            if (path := lists.find_list(folders, names))
        }
    if splits is not None and not found:
        raise DatasetError(
            str(splits),
            f"is no split list of {V1.name}",
            "train.csv, val.csv or test.csv (or .csv.bz2), or a folder of them",
            "Correct --splits.",
        )
    return found


def _s2_names(path: Path) -> list[str]:
    # One or two columns in either order, with or without a header: Sentinel-2 names say so.
    lines = lists.read_lines(path)
    cells = (cell.strip(' "') for line in lines for cell in line.split(","))
    return [cell for cell in cells if cell.startswith("S2")]
