"""Metadata tables and label files that are damaged are named, or say what they leave open."""

import json

import numpy as np
import pyarrow as pa
import pytest
from fake_bigearthnet import make_v2_folders
from pyarrow import parquet

from featbank.datasets._bigearthnet_editions import S2
from featbank.datasets._bigearthnet_labels import read_label_files
from featbank.datasets._bigearthnet_table import LABELS_19
from featbank.datasets._bigearthnet_v2 import read_v2
from featbank.datasets._clc import CLASSES_19
from featbank.datasets.geotiff import NO_EPSG, to_lonlat
from featbank.errors import DatasetError
from featbank.samples import NO_TIME, TEST, TRAIN, UNKNOWN_LABEL, UNLABELLED, VAL

NAMES = [f"S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_{k}" for k in range(4)]
MAIN, TWIN = "metadata.parquet", "metadata_for_patches_with_snow_cloud_or_shadow.parquet"


def columns(rows=range(3)):
    return {
        "patch_id": pa.array([NAMES[k] for k in rows]),
        "labels": pa.array([[CLASSES_19[k]] for k in rows]),
        "split": pa.array([["train", "validation", "test", "train"][k] for k in rows]),
        "country": pa.array(["Austria" for _ in rows]),
        "s1_name": pa.array([f"S1_{k}" for k in rows]),
        "contains_seasonal_snow": pa.array([k == 3 for k in rows]),
        "contains_cloud_or_shadow": pa.array([False for _ in rows]),
    }


def write(folder, name, table):
    parquet.write_table(pa.table(table), folder / name)


@pytest.fixture
def root(tmp_path):
    make_v2_folders(tmp_path, s2=NAMES)
    write(tmp_path, MAIN, columns())
    write(tmp_path, TWIN, columns([3]))
    return tmp_path


def read(root):
    return read_v2(root, [S2], None)


def test_what_is_whole_reads(root):
    table = read(root)
    assert table.splits.tolist() == [TRAIN, VAL, TEST, TRAIN]
    assert table.exclude.tolist() == ["", "", "", "seasonal snow"]
    assert table.notes == ()


@pytest.mark.parametrize("name", [MAIN, TWIN])
@pytest.mark.parametrize("damage", ["empty", "cut", "text", "page"])
def test_a_file_that_is_damaged_is_named(root, name, damage):
    data = (root / name).read_bytes()
    ways = {
        "empty": b"",
        "cut": data[:-30],
        "text": b"{}",
        "page": b"PAR1" + b"\xff" * 60 + data[64:],
    }
    (root / name).write_bytes(ways[damage])
    with pytest.raises(DatasetError, match=f"{name}: "):
        read(root)


KINDS = [
    ("patch_id", pa.array([1, 2, 3])), ("patch_id", pa.nulls(3)),
    ("patch_id", pa.array([b"x"] * 3)),
    ("labels", pa.array(["Pastures"] * 3)), ("labels", pa.array([[1]] * 3)),
    ("labels", pa.array([{"a": 1}] * 3)), ("labels", pa.array([["Pastures", None]] * 3)),
    ("labels", pa.array([["Pasture"]] * 3)), ("labels", pa.array([[["Pastures"]]] * 3)),
    ("split", pa.array([0, 1, 2])), ("split", pa.array(["train", "dev", "test"])),
    ("split", pa.array([["train"]] * 3)), ("s1_name", pa.array([1.5] * 3)),
    ("country", pa.array([1, 2, 3])), ("contains_seasonal_snow", pa.array(["no"] * 3)),
    ("contains_cloud_or_shadow", pa.array([[True]] * 3)),
]  # fmt: skip


@pytest.mark.parametrize(("column", "values"), KINDS, ids=str)
def test_a_column_of_another_kind_is_named_with_its_file(root, column, values):
    write(root, MAIN, columns() | {column: values})
    with pytest.raises(DatasetError, match=f"{MAIN}: "):
        read(root)


@pytest.mark.parametrize("column", ["patch_id", "labels", "split", "s1_name"])
def test_a_column_that_is_missing_is_named(root, column):
    write(root, MAIN, {name: values for name, values in columns().items() if name != column})
    with pytest.raises(DatasetError, match=f"{MAIN}: has no column {column}"):
        read(root)


SAME = {
    "large strings": lambda c: {"patch_id": c["patch_id"].cast(pa.large_string())},
    "dictionaries": lambda c: {"split": c["split"].dictionary_encode()},
    "large lists": lambda c: {"labels": c["labels"].cast(pa.large_list(pa.string()))},
    "lists of one size": lambda c: {"labels": c["labels"].cast(pa.list_(pa.string(), 1))},
    "whole numbers as flags": lambda c: {"contains_seasonal_snow": pa.array([0, 0, 0])},
    "null flags": lambda c: {"contains_seasonal_snow": pa.nulls(3)},
    "null countries": lambda c: {"country": pa.nulls(3)},
}


@pytest.mark.parametrize("kind", SAME)
def test_what_means_the_same_is_taken(root, kind):
    write(root, MAIN, columns() | SAME[kind](columns()))
    table = read(root)
    assert table.splits.tolist() == [TRAIN, VAL, TEST, TRAIN]
    assert table.labels[LABELS_19].codes.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_rows_without_labels_or_split_are_counted_and_unknown(root):
    labels, split = columns()["labels"].to_pylist(), columns()["split"].to_pylist()
    labels[0] = split[1] = None
    write(root, MAIN, columns() | {"labels": pa.array(labels), "split": pa.array(split)})
    table = read(root)
    assert (table.labels[LABELS_19].codes[0] == UNKNOWN_LABEL).all()
    assert table.splits.tolist() == [TRAIN, UNLABELLED, TEST, TRAIN]
    assert table.notes == (
        f"1 of 4 patches have no 'labels' in {MAIN}: their labels are unknown",
        f"1 of 4 patches have no 'split' in {MAIN}: they are in no split",
    )


def test_a_patch_of_which_tables_say_two_things_is_named(root):
    write(root, TWIN, columns([2]) | {"split": pa.array(["train"])})
    with pytest.raises(DatasetError, match=f"says different things of one sample.*{NAMES[2]}"):
        read(root)


PATCH = "S2A_MSIL2A_20170613T101031_61_39"
RECORD = {
    "labels": ["Pastures", "Water bodies"],
    "coordinates": {"ulx": 373200, "uly": 5353200},
    "projection": 'PROJCS["WGS 84 / UTM zone 33N",AUTHORITY["EPSG","32633"]]',
    "acquisition_date": "2017-06-13 10:10:31",
}


def label_file(root, content):
    path = root / PATCH / f"{PATCH}_labels_metadata.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


SHAPES = ["", "{", "null", "[]", "7", "[" * 50_000, *(
    json.dumps(RECORD | changed)
    for changed in (
        {"labels": None}, {"labels": {"a": 1}}, {"labels": 5}, {"labels": "Pastures"},
        {"labels": [["Pastures"]]}, {"labels": [None]}, {"labels": [3]}, {"labels": ["Pasture"]},
        {"coordinates": [1, 2]}, {"coordinates": {"ulx": None, "uly": 1}},
        {"coordinates": {"ulx": "1", "uly": 2}}, {"coordinates": {"ulx": 10**400, "uly": 2}},
        {"coordinates": {"ulx": float("nan"), "uly": 2}}, {"projection": 32633},
        {"acquisition_date": 20170613}, {"acquisition_date": "yesterday"},
        {"acquisition_date": "99999999-01-01"}, {"acquisition_date": ["2017"]},
        {"tile_source": 3}, {"tile_source": ["x"]}, {"corresponding_s2_patch": 3},
    )
)]  # fmt: skip


@pytest.mark.parametrize("text", SHAPES, ids=lambda text: text[:40])
def test_a_label_file_of_another_shape_is_named(tmp_path, text):
    path = label_file(tmp_path, text)
    with pytest.raises(DatasetError, match=path.name):
        read_label_files(tmp_path, [PATCH])


@pytest.mark.parametrize("field", ["coordinates", "projection", "acquisition_date", "tile_source"])
def test_what_a_label_file_need_not_say_may_be_null(tmp_path, field):
    label_file(tmp_path, RECORD | {field: None})
    found = read_label_files(tmp_path, [PATCH])
    assert found.codes.sum() == 2
    if field == "acquisition_date":
        assert found.times[0] == NO_TIME
    if field in ("coordinates", "projection"):
        assert found.centres[0, 2] == NO_EPSG


def test_a_code_that_no_one_has_given_is_no_place():
    assert np.isnan(to_lonlat(np.array([[1.0, 2.0, 99999]]))).all()
