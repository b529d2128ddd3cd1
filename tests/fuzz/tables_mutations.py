"""A publisher's table or label file is damaged: it is named, or its rows are what they were."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
from fake_bigearthnet import make_v2_folders
from pyarrow import parquet

from featbank.datasets._bigearthnet_editions import S2
from featbank.datasets._bigearthnet_labels import read_label_files
from featbank.datasets._bigearthnet_table import LABELS_19
from featbank.datasets._bigearthnet_v2 import read_v2
from featbank.datasets._clc import CLASSES_19, CLASSES_43
from featbank.samples import SPLITS, UNKNOWN_LABEL
from tests.fuzz.mutating import damaged_json, damaged_parquet
from tests.fuzz.running import refused

_N = 6
_NAMES = [f"S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_{k}" for k in range(_N)]
_MAIN = "metadata.parquet"
_TWIN = "metadata_for_patches_with_snow_cloud_or_shadow.parquet"
_WORDS = {"train": "train", "validation": "val", "test": "test", None: "unlabelled"}


def trial(rng, folder):
    if rng.random() < 0.5:
        _metadata_trial(rng, folder)
    else:
        _label_file_trial(rng, folder)


def _table(rows, rng):
    picked = [rng.choice(19, size=rng.integers(1, 4), replace=False) for _ in rows]
    return pa.table(
        {
            "patch_id": [_NAMES[row] for row in rows],
            "labels": [[CLASSES_19[k] for k in picks] for picks in picked],
            "split": [["train", "validation", "test"][row % 3] for row in rows],
            "country": ["Austria"] * len(rows),
            "s1_name": [f"S1A_IW_GRDH_1SDV_20170613T165043_33UUP_26_{row}" for row in rows],
            "contains_seasonal_snow": [False] * len(rows),
            "contains_cloud_or_shadow": [False] * len(rows),
        }
    )


def _metadata_trial(rng, folder):
    make_v2_folders(folder, s2=_NAMES)
    parquet.write_table(_table(range(4), rng), folder / _MAIN)
    parquet.write_table(_table(range(4, 6), rng), folder / _TWIN)
    path = folder / (_MAIN if rng.random() < 0.7 else _TWIN)
    path.write_bytes(damaged_parquet(path, rng))
    made = []
    if refused(lambda: made.append(read_v2(folder, [S2], None)), [_MAIN, _TWIN]):
        return
    (table,) = made
    told = _told(folder)
    codes = table.labels[LABELS_19].codes
    for row, name in enumerate(table.names[S2]):
        labels, split = told.get(name, (None, None))
        assert SPLITS[table.splits[row]] == _WORDS[split], f"{name}: another split"
        found = None if (codes[row] == UNKNOWN_LABEL).any() else np.flatnonzero(codes[row]).tolist()
        wanted = None if labels is None else sorted(CLASSES_19.index(each) for each in set(labels))
        assert found == wanted, f"{name}: labels {found}, {wanted} in the table"


def _told(folder):
    """Labels and split of each patch, by pyarrow alone."""
    told = {}
    for name in (_MAIN, _TWIN):
        for row in parquet.ParquetFile(folder / name).read().to_pylist():
            told.setdefault(row["patch_id"], (row["labels"], row["split"]))
    return told


def _label_file_trial(rng, folder):
    name = "S2A_MSIL2A_20170613T101031_61_39"
    record = {
        "labels": [CLASSES_43[k] for k in rng.choice(43, size=3, replace=False)],
        "coordinates": {"ulx": 373200, "uly": 5353200, "lrx": 374400, "lly": 5352000},
        "projection": 'PROJCS["WGS 84 / UTM zone 33N",AUTHORITY["EPSG","32633"]]',
        "tile_source": "S2B_MSIL1C_20170927T094019_N0205_R036_T35VLC_20170927T094016.SAFE",
        "acquisition_date": "2017-06-13 10:10:31",
    }
    path = folder / name / f"{name}_labels_metadata.json"
    path.parent.mkdir()
    path.write_bytes(damaged_json(json.dumps(record).encode(), rng))
    made = []
    if refused(lambda: made.append(read_label_files(folder, [name])), [path.name]):
        return
    (files,) = made
    said = json.loads(path.read_bytes())
    found = [CLASSES_43[k] for k in np.flatnonzero(files.codes[0])]
    assert sorted(found) == sorted(set(said["labels"]))
