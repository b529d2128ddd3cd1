"""BigEarthNet v2.0 (reBEN): rows from folder names and the publisher's metadata tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._bigearthnet_editions import S1, S2, V2
from featbank.datasets._bigearthnet_folders import PatchNames, list_patches
from featbank.datasets._bigearthnet_metadata import MAIN, Metadata, read_metadata
from featbank.datasets._bigearthnet_pairs import pair_rows
from featbank.datasets._bigearthnet_table import LABELS_19, Table
from featbank.datasets._clc import CLASSES_19
from featbank.datasets.splitting import split_lists as lists
from featbank.errors import DatasetError
from featbank.samples import LabelSet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def read_v2(root: Path, sensors: Sequence[str], splits: Path | None) -> Table:
    """Rows of one sensor, or of the pairs of both.

    Raises:
        MissingPathError: A sensor's folder, or what ``splits`` names, is not there.
        DatasetError: Metadata that cannot be used, or no pair at all.
    """
    patches = {sensor: list_patches(root, V2, sensor) for sensor in sensors}
    metadata = read_metadata(root, splits)
    main = S2 if S2 in sensors else S1
    rows, notes = _rows(patches, metadata)
    names = {s: [patches[s].names[row] for row in rows[s]] for s in sensors}
    told = metadata.rows_of(names[main], main)
    _refuse_foreign(metadata, told, names[main])
    has_metadata = len(metadata.table) > 0
    return Table(
        names=names,
        s2_names=names.get(S2) or metadata.texts("patch_id", told).tolist(),
        labels={LABELS_19: LabelSet(classes=CLASSES_19, codes=metadata.labels(told))},
        splits=metadata.splits(told),
        has_splits=has_metadata,
        exclude=metadata.exclude(told),
        groups=[patches[main].groups[row] for row in rows[main]],
        times=_seconds([patches[main].times[row] for row in rows[main]]),
        centres=patches[main].centres[rows[main]],
        countries=metadata.texts("country", told) if has_metadata else None,
        notes=(*notes, *_unknown(told, has_metadata), *metadata.notes(told)),
    )


def _rows(
    patches: dict[str, PatchNames], metadata: Metadata
) -> tuple[dict[str, NDArray[np.intp]], tuple[str, ...]]:
    if len(patches) == 1:
        return {sensor: np.arange(len(p.names)) for sensor, p in patches.items()}, ()
    if len(metadata.table) == 0:
        raise DatasetError(
            str(metadata.path),
            "is missing, and only it tells which patches of the two sensors are pairs",
            f"the publisher's {MAIN}",
            V2.splits_from,
        )
    told = metadata.rows_of(patches[S1].names, S1)
    return pair_rows(metadata.texts("patch_id", told).tolist(), patches[S2].names)


def _refuse_foreign(metadata: Metadata, told: NDArray[np.int64], names: Sequence[str]) -> None:
    if len(metadata.table) and (told < 0).all():
        lists.refuse_foreign([[str(metadata.table["patch_id"][0])]], names, metadata.path)


def _seconds(times: Sequence[str]) -> NDArray[np.int64]:
    # 20170613T101031, the same for all patches of a scene.
    known = {
        t: np.datetime64(f"{t[:4]}-{t[4:6]}-{t[6:11]}:{t[11:13]}:{t[13:]}", "s").astype(np.int64)
        for t in set(times)
    }
    return np.array([known[t] for t in times], dtype=np.int64)


def _unknown(told: NDArray[np.int64], has_metadata: bool) -> list[str]:
    count = int((told < 0).sum())
    if not has_metadata or not count:
        return []
    return [f"{count} of {len(told)} patches are not in {MAIN}: their labels are unknown"]
