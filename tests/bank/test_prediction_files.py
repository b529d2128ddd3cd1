"""Files of predictions that other programs read."""

import json
import os
import struct

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from featbank.bank.geoparquet import with_points
from featbank.bank.prediction_files import (
    beside,
    read_provenance,
    require_out,
    require_replaceable,
    write_predictions_file,
)
from featbank.errors import MissingPathError, UsageError

PROVENANCE = {"probe": "abc", "store_recipe": "f00", "dataset": "chips"}
LONLAT = np.array([[8.5, 47.25], [np.nan, np.nan], [-70.0, -33.0]])
SCORES = np.array([0.1, 1 / 3, 1e-30], np.float32)


@pytest.fixture
def table():
    return pa.table(
        {
            "sample_id": ["a,b", 'c"d', "é"],
            "labels": pa.array([["x", "y z"], None, []], pa.list_(pa.string())),
            "p_x": pa.array(SCORES),
        }
    )


@pytest.fixture(params=["p.csv", "p.parquet"])
def path(request, tmp_path, table):
    found = tmp_path / request.param
    write_predictions_file(found, table, PROVENANCE, lonlat=None)
    return found


def test_csv_keeps_every_digit(tmp_path, table):
    write_predictions_file(tmp_path / "p.csv", table, PROVENANCE, lonlat=None)
    found = pd.read_csv(tmp_path / "p.csv")
    np.testing.assert_array_equal(found["p_x"].astype(np.float32), SCORES)
    assert found["sample_id"].tolist() == table["sample_id"].to_pylist()


def test_csv_joins_labels(tmp_path, table):
    write_predictions_file(tmp_path / "p.csv", table, PROVENANCE, lonlat=None)
    assert pd.read_csv(tmp_path / "p.csv")["labels"].fillna("").tolist() == ["x|y z", "", ""]


def test_parquet_keeps_lists(tmp_path, table):
    write_predictions_file(tmp_path / "p.parquet", table, PROVENANCE, lonlat=None)
    assert pq.read_table(tmp_path / "p.parquet")["labels"].to_pylist() == [["x", "y z"], None, []]


def test_parquet_without_places_is_plain(tmp_path, table):
    write_predictions_file(tmp_path / "p.parquet", table, PROVENANCE, lonlat=None)
    assert set(pq.read_schema(tmp_path / "p.parquet").metadata) == {b"featbank"}


def test_points_are_well_known_binary(table):
    found = with_points(table, LONLAT)["geometry"].to_pylist()
    assert found[0] == struct.pack("<BIdd", 1, 1, 8.5, 47.25)
    assert found[1] is None


def test_geo_metadata_are_those_of_geoparquet(tmp_path, table):
    write_predictions_file(tmp_path / "p.parquet", table, PROVENANCE, lonlat=LONLAT)
    metadata = pq.read_schema(tmp_path / "p.parquet").metadata
    assert json.loads(metadata[b"geo"]) == {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {
            "geometry": {
                "encoding": "WKB",
                "geometry_types": ["Point"],
                "bbox": [-70.0, -33.0, 8.5, 47.25],
            }
        },
    }
    assert json.loads(metadata[b"featbank"]) == PROVENANCE


def test_the_geometry_column_is_binary_at_the_root(tmp_path, table):
    write_predictions_file(tmp_path / "p.parquet", table, PROVENANCE, lonlat=LONLAT)
    schema = pq.ParquetFile(tmp_path / "p.parquet").schema
    column = schema.column(schema.names.index("geometry"))
    assert (column.physical_type, column.path) == ("BYTE_ARRAY", "geometry")


def test_no_place_at_all_has_no_box(table):
    geo = json.loads(with_points(table, np.full((3, 2), np.nan)).schema.metadata[b"geo"])
    assert "bbox" not in geo["columns"]["geometry"]


def test_provenance_comes_back(path):
    assert read_provenance(path) == PROVENANCE


def test_the_same_predictions_may_be_written_again(path):
    require_replaceable(path, PROVENANCE)


@pytest.mark.parametrize("other", [{"probe": "abe9"}, {"store_recipe": "f01"}])
def test_other_predictions_are_not_written_over(path, other):
    with pytest.raises(UsageError, match="predictions of probe abc on chips stand there"):
        require_replaceable(path, PROVENANCE | other)


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_a_foreign_file_is_not_written_over(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match="no prediction of featbank .* Pass --overwrite"):
        require_replaceable(tmp_path / name, PROVENANCE)


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(UsageError, match="its suffix is '.xlsx'; expected .csv or .parquet"):
        require_out(tmp_path / "p.xlsx")


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(MissingPathError, match="its folder is not there"):
        require_out(tmp_path / "no" / "p.csv")


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_what_cannot_be_written_leaves_nothing(tmp_path, table, name, monkeypatch):
    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_predictions_file(tmp_path / name, table, PROVENANCE, lonlat=LONLAT)
    assert list(tmp_path.iterdir()) == []


def test_csv_has_its_provenance_beside_it(tmp_path):
    assert beside(tmp_path / "p.csv").name == "p.csv.json"
