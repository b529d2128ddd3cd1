"""BigEarthNet: Sentinel-1 and Sentinel-2 patches of 1.2 km with land-cover labels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._bigearthnet_editions import (
    BANDS,
    GRIDS,
    S1,
    S2,
    SENSOR_NAMES,
    V1,
    V2,
    Edition,
)
from featbank.datasets._bigearthnet_folders import find_edition
from featbank.datasets._bigearthnet_readers import MapReader, PairReader, PatchReader
from featbank.datasets._bigearthnet_table import SCHEME, Table, samples_of
from featbank.datasets._bigearthnet_v1 import read_v1
from featbank.datasets._bigearthnet_v2 import read_v2
from featbank.datasets._clc import CLASSES_19
from featbank.datasets._remote_files import (
    BIGEARTHNET_V1_S1,
    BIGEARTHNET_V1_S2,
    BIGEARTHNET_V1_TABLES,
    BIGEARTHNET_V2_MAPS,
    BIGEARTHNET_V2_S1,
    BIGEARTHNET_V2_S2,
    BIGEARTHNET_V2_TABLES,
)
from featbank.datasets.dataset import BandStatistics, Dataset, DatasetRequest, DatasetSpec, Masks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featbank.image import Reader

# zenodo.org/records/12687186 (v1.0) and zenodo.org/records/10891137 (v2.0) bear the same licence.
_LICENCE = "CDLA-Permissive-1.0"
_HOMEPAGE = "https://bigearth.net"
# The second edition is the one to take: checked labels, splits that do not touch.
_V2_FILES = {S1: BIGEARTHNET_V2_S1, S2: (*BIGEARTHNET_V2_S2, *BIGEARTHNET_V2_MAPS)}
_V1_FILES = {S1: BIGEARTHNET_V1_S1, S2: BIGEARTHNET_V1_S2}
_PATCHES_V1, _PATCHES_V2 = 590_326, 549_488
_MAP_PX = (120, 120)
_CAVEATS = (
    (
        "Edition 2.0: no test patch is within 11.95 km of a train patch, but 9.4 % of the "
        "validation patches touch one and 86 % lie within 10 km, so what is chosen on "
        "validation looks better there than it is (third-party analysis of the published split "
        "lists)."
    ),
    (
        "Edition 1.0: the official splits interleave blocks of 2 by 2 patches, so that train "
        "and test are neighbours and scores on test are optimistic (kai-tub/ben-docs)."
    ),
    (
        "Edition 1.0: some patches bear none of the 19 classes; they are left out of both label"
        " sets, as the publisher does (rsim, BigEarthNet-MM_19-classes_models)."
    ),
)


def open_bigearthnet(request: DatasetRequest, *, name: str, sensors: tuple[str, ...]) -> Dataset:
    """Open BigEarthNet, the edition that is on disk.

    Patches that the publisher leaves out of the official splits (seasonal snow, clouds and their
    shadows, no label among the 19 classes) are marked, not dropped; a patch without any of the 19
    classes is left out under 43 classes too, as the publisher does.

    Args:
        request: ``root`` holds the publisher's folders; ``splits`` names split lists.
        name: Catalog name.
        sensors: ``s1``, ``s2``, or both for pairs.

    Raises:
        MissingPathError: The root, a sensor's folder or the split lists are not there.
        DatasetError: Folders, label files, lists or metadata that cannot be used.
    """
    root, edition = find_edition(request.root)
    read = read_v1 if edition is V1 else read_v2
    table = read(root, sensors, request.splits)
    return Dataset(
        name=name,
        root=root,
        bands=tuple(band for sensor in sensors for band in BANDS[sensor]),
        grids=tuple(grid for sensor in sensors for grid in GRIDS[sensor]),
        samples=samples_of(table, edition),
        reader=_reader(root, edition, table),
        processing="; ".join(edition.processing[sensor] for sensor in sensors),
        licence=_LICENCE,
        citation=edition.citation,
        statistics=_statistics(edition, sensors),
        masks=_masks(root, edition, table),
        notes=(*table.notes, *_without_splits(table)),
        splits_from="" if table.has_splits else edition.splits_from,
        # Half a million patches of up to 13 files each, which nobody edits.
        fingerprint_of="names",
    )


def _reader(root: Path, edition: Edition, table: Table) -> Reader:
    readers = tuple(
        PatchReader(
            root=str(root / edition.folders[sensor]),
            names=_as_bytes(names),
            fields=edition.fields[sensor],
            grids=GRIDS[sensor],
        )
        for sensor, names in table.names.items()
    )
    return readers[0] if len(readers) == 1 else PairReader(readers=readers)


def _statistics(edition: Edition, sensors: Sequence[str]) -> BandStatistics:
    names = [band.name for sensor in sensors for band in BANDS[sensor]]
    return BandStatistics(
        values={name: edition.statistics[name] for name in names},
        source=edition.statistics_source,
    )


def _masks(root: Path, edition: Edition, table: Table) -> Masks | None:
    if not edition.maps or not (root / edition.maps).is_dir() or not any(table.s2_names):
        return None
    return Masks(
        classes=CLASSES_19,
        size_px=_MAP_PX,
        reader=MapReader(
            root=str(root / edition.maps),
            names=_as_bytes(table.s2_names),
            fields=edition.fields[S2],
        ),
    )


def _without_splits(table: Table) -> list[str]:
    return [] if table.has_splits else [f"no {SCHEME} split lists here: all samples are unlabelled"]


def _as_bytes(names: Sequence[str]) -> NDArray[np.bytes_]:
    return np.array(names, dtype=np.bytes_)


def _spec(name: str, sensors: tuple[str, ...]) -> DatasetSpec:
    called = " and ".join(SENSOR_NAMES[sensor] for sensor in sensors)
    return DatasetSpec(
        name=name,
        title=f"{called} patches, land cover in 19 or 43 classes",
        bands=tuple(band for sensor in sensors for band in BANDS[sensor]),
        size=f"v1.0 {_PATCHES_V1:,} or v2.0 {_PATCHES_V2:,}",
        processing=" and ".join(
            V1.processing[s].removesuffix(" (BigEarthNet v1.0)") for s in sensors
        ),
        licence=_LICENCE,
        citation=f"{V1.citation} {V2.citation}",
        open=partial(open_bigearthnet, name=name, sensors=sensors),
        takes_splits=True,
        files=(*(file for s in sensors for file in _V2_FILES[s]), *BIGEARTHNET_V2_TABLES),
        editions={
            "v1": (*(file for s in sensors for file in _V1_FILES[s]), *BIGEARTHNET_V1_TABLES)
        },
        homepage=_HOMEPAGE,
        expected_samples=(_PATCHES_V1, _PATCHES_V2),
        caveats=_CAVEATS,
    )


SPECS = (
    _spec("bigearthnet-s1", (S1,)),
    _spec("bigearthnet-s2", (S2,)),
    _spec("bigearthnet-s1s2", (S1, S2)),
)
