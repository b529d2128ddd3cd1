"""BigEarthNet v1.0 on real patches, against csv, json and tifffile."""

import bz2
import csv
import json
import pickle

import numpy as np
import pytest
import rasterio
import tifffile
from fake_bigearthnet import copy_writable

from featbank.datasets import DATASETS, DatasetRequest
from featbank.datasets._clc import CLASSES_43
from featbank.errors import DecodeError
from featbank.inputs.checks import refusal
from featbank.samples import NO_TIME, SPLITS
from featbank.sources.reading_rules import contract_of

GRIDS = {
    "10m": ("B02", "B03", "B04", "B08"),
    "20m": ("B05", "B06", "B07", "B8A", "B11", "B12"),
    "60m": ("B01", "B09"),
}
FOLDERS = {"bigearthnet-s1": "BigEarthNet-S1-v1.0", "bigearthnet-s2": "BigEarthNet-v1.0"}


def open_named(name, root, splits=None):
    return DATASETS[name].open(DatasetRequest(root=root, splits=splits))


@pytest.fixture(scope="module")
def root(shared):
    return shared / "data" / "bigearthnet_v1"


@pytest.fixture(scope="module")
def tables(shared):
    return shared / "data" / "bigearthnet_tables"


@pytest.fixture(scope="module")
def thinned(tables, root, tmp_path_factory):
    """The same lists, of which a test that opens them again needs few other patches."""
    folder = tmp_path_factory.mktemp("lists")
    here = {path.name for path in root.glob("*/*")}
    here |= {
        json.loads(p.read_text())["corresponding_s2_patch"] for p in root.glob("*S1*/*/*.json")
    }
    for path in tables.glob("*.csv.bz2"):
        if "mapping" not in path.name:
            lines = bz2.decompress(path.read_bytes()).decode().splitlines()
            kept = [line for i, line in enumerate(lines) if line in here or i % 1000 == 0]
            (folder / path.name).write_bytes(bz2.compress("\n".join(kept).encode()))
    return folder


@pytest.fixture(scope="module", params=list(FOLDERS))
def single(request, root, tables):
    return open_named(request.param, root, tables)


@pytest.fixture(scope="module")
def pairs(root, thinned):
    return open_named("bigearthnet-s1s2", root, thinned)


@pytest.fixture(scope="module")
def truth(root, tables):
    """Ids, labels, partner, split and reason of every patch, by csv and json alone."""
    with bz2.open(tables / "s1_s2_mapping.csv.bz2", "rt") as file:
        partner = {row["s1_name"]: row["s2_name"] for row in csv.DictReader(file)}
    listed = {split: column(tables / f"{split}.csv.bz2") for split in ("train", "val", "test")}
    reasons = {
        "seasonal snow": column(tables / "patches_with_seasonal_snow.csv.bz2"),
        "cloud or shadow": column(tables / "patches_with_cloud_and_shadow.csv.bz2"),
        "no 19-class label": column(tables / "patches_with_no_19_class_targets.csv.bz2"),
    }
    found = {}
    for path in sorted(root.glob("*/*/*.json")):
        name = path.parent.name
        s2_name = partner.get(name, name)
        found[name] = {
            "labels": set(json.loads(path.read_text())["labels"]),
            "s2": s2_name,
            "split": next((s for s, names in listed.items() if s2_name in names), "unlabelled"),
            "exclude": next((r for r, names in reasons.items() if s2_name in names), ""),
        }
    return found


def column(path):
    with bz2.open(path, "rt") as file:
        return {row[0] for row in csv.reader(file)}


def named(label_set, row):
    return {label_set.classes[k] for k in np.flatnonzero(label_set.codes[row])}


def test_ids_are_the_folders(single, root):
    folder = root / FOLDERS[single.name]
    assert list(single.samples.ids) == sorted(path.name for path in folder.iterdir())


def test_43_class_labels_equal_the_label_files(single, truth):
    label_set = single.samples.labels["43-class"]
    found = [named(label_set, row) for row in range(len(single.samples))]
    assert found == [truth[name]["labels"] for name in single.samples.ids]


def test_19_class_labels_follow_the_published_table(single, truth, tables):
    table = json.loads((tables / "ben_labels_43_to_19.json").read_text())["old43_to_new19"]
    label_set = single.samples.labels["19-class"]
    found = [named(label_set, row) for row in range(len(single.samples))]
    expected = [{table[x] for x in truth[name]["labels"]} - {None} for name in single.samples.ids]
    assert found == expected


def test_19_classes_are_the_default(single):
    assert list(single.samples.labels) == ["19-class", "43-class"]


def test_splits_equal_the_official_lists(single, truth):
    found = [SPLITS[code] for code in single.samples.splits["official"]]
    assert found == [truth[name]["split"] for name in single.samples.ids]


def test_excludes_equal_the_published_lists(single, truth):
    assert list(single.samples.exclude) == [truth[name]["exclude"] for name in single.samples.ids]


def test_sensors_join_by_the_sentinel2_name(single, truth):
    assert list(single.samples.pair_id) == [truth[name]["s2"] for name in single.samples.ids]


def test_the_nine_radar_patches_stand_where_they_should(root, thinned):
    samples = open_named("bigearthnet-s1", root, thinned).samples
    assert np.bincount(samples.splits["official"]).tolist() == [6, 0, 2, 1]
    assert list(samples.exclude[samples.splits["official"] == 3]) == ["seasonal snow"]


def test_places_are_those_of_the_files(single, root):
    from featbank.datasets.geotiff import read_lonlat

    folder = root / FOLDERS[single.name]
    band = "VV" if single.name == "bigearthnet-s1" else "B02"
    paths = [f"{name}/{name}_{band}.tif" for name in single.samples.ids]
    np.testing.assert_allclose(single.samples.lonlat, read_lonlat(folder, paths), atol=1e-9)


def test_boxes_are_those_of_the_files(single, root):
    """Files by rasterio; the label files tell corners alone."""
    band = "VV" if single.name == "bigearthnet-s1" else "B02"
    for row, name in enumerate(single.samples.ids):
        with rasterio.open(root / FOLDERS[single.name] / name / f"{name}_{band}.tif") as file:
            np.testing.assert_allclose(single.samples.bbox[row], file.bounds, atol=1e-6)
            assert single.samples.crs[row] == f"EPSG:{file.crs.to_epsg()}"


def test_times_are_those_of_the_label_files(single, root):
    names = ("acquisition_time", "acquisition_date")
    folder = root / FOLDERS[single.name]
    for name, seconds in zip(single.samples.ids, single.samples.time, strict=True):
        record = json.loads((folder / name / f"{name}_labels_metadata.json").read_text())
        text = next(record[key] for key in names if key in record)
        assert str(np.datetime64(int(seconds), "s")) == text.replace(" ", "T")


def test_seasons_follow_the_months(single):
    months = single.samples.time.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12
    known = {12: "winter", 2: "winter", 5: "spring", 4: "spring", 6: "summer", 9: "autumn"}
    assert [known[m + 1] for m in months] == list(single.samples.meta["season"])


def test_one_acquisition_is_one_group(root):
    groups = open_named("bigearthnet-s2", root).samples.group
    assert groups[0] == "S2A_MSIL2A_20170613T101031_T33UUP"
    assert (len(set(groups)), len(groups)) == (12, 14)


def test_radar_pixels_equal_the_files_bit_for_bit(root):
    dataset = open_named("bigearthnet-s1", root)
    for row, name in enumerate(dataset.samples.ids):
        path = root / FOLDERS["bigearthnet-s1"] / name
        expected = [tifffile.imread(path / f"{name}_{band}.tif") for band in ("VV", "VH")]
        pixels = dataset.reader.read(row)["s1"]
        assert pixels.dtype == np.float32
        np.testing.assert_array_equal(pixels, np.stack(expected))


def test_optical_pixels_equal_the_files(root):
    dataset = open_named("bigearthnet-s2", root)
    for row, name in enumerate(dataset.samples.ids):
        path = root / FOLDERS["bigearthnet-s2"] / name
        image = dataset.reader.read(row)
        for grid, bands in GRIDS.items():
            expected = np.stack([tifffile.imread(path / f"{name}_{band}.tif") for band in bands])
            np.testing.assert_array_equal(image[grid], expected)
            assert image[grid].dtype == np.uint16


def test_bands_follow_their_names_on_disk(root, tmp_path):
    copy = copy_writable(root / "BigEarthNet-S1-v1.0", tmp_path / "BigEarthNet-S1-v1.0").parent
    before = open_named("bigearthnet-s1", copy).reader.read(2)["s1"]
    folder = sorted((copy / "BigEarthNet-S1-v1.0").iterdir())[2]
    vv, vh = (folder / f"{folder.name}_{band}.tif" for band in ("VV", "VH"))
    vv.rename(folder / "x")
    vh.rename(vv)
    (folder / "x").rename(vh)
    after = open_named("bigearthnet-s1", copy).reader.read(2)["s1"]
    np.testing.assert_array_equal(after, before[::-1])


def test_co_polarised_backscatter_is_the_stronger(root):
    dataset = open_named("bigearthnet-s1", root)
    means = np.array([dataset.reader.read(row)["s1"].mean(axis=(1, 2)) for row in range(9)])
    assert [grid.bands for grid in dataset.grids] == [("VV", "VH")]
    assert (means[:, 0] > means[:, 1] + 3).all()


def test_published_statistics_are_the_publishers_table(root, tables):
    table = json.loads((tables / "ben_band_stats.json").read_text())
    values = open_named("bigearthnet-s1s2", root).statistics.values
    assert len(values) == 14
    for sensor in ("BAND_STATS_S1", "BAND_STATS_S2"):
        for band, mean in table[sensor]["mean"].items():
            if "/" not in band:
                assert values[band] == (mean, table[sensor]["std"][band])


def test_pairs_are_the_patches_that_both_sensors_have(pairs, truth, root):
    s2_names = {path.name for path in (root / FOLDERS["bigearthnet-s2"]).iterdir()}
    expected = sorted(
        row["s2"] for name, row in truth.items() if name[:2] == "S1" and row["s2"] in s2_names
    )
    assert list(pairs.samples.ids) == expected
    assert len(expected) == 6


def test_pairs_hold_the_pixels_of_both(pairs, root, truth):
    s1 = open_named("bigearthnet-s1", root)
    s2 = open_named("bigearthnet-s2", root)
    s1_of = {truth[name]["s2"]: row for row, name in enumerate(s1.samples.ids)}
    for row, name in enumerate(pairs.samples.ids):
        expected = {
            **s1.reader.read(s1_of[name]),
            **s2.reader.read(list(s2.samples.ids).index(name)),
        }
        image = pairs.reader.read(row)
        assert list(image) == ["s1", "10m", "20m", "60m"]
        assert all(np.array_equal(image[grid], expected[grid]) for grid in expected)


def test_patches_without_a_partner_are_counted(pairs):
    assert pairs.notes[:2] == (
        "3 Sentinel-1 patches without their Sentinel-2 patch are left out",
        "8 Sentinel-2 patches without their Sentinel-1 patch are left out",
    )


def test_all_real_chips_keep_the_contract(single, pairs):
    for dataset in (single, pairs):
        rows = range(len(dataset.samples))
        assert {refusal(dataset.reader.read(row), contract_of(dataset)) for row in rows} == {""}


def test_readers_travel(pairs):
    there = pickle.loads(pickle.dumps(pairs.reader)).read(3)
    assert all(np.array_equal(there[k], v) for k, v in pairs.reader.read(3).items())


def test_without_lists_all_is_unlabelled_and_said(root):
    dataset = open_named("bigearthnet-s1", root)
    assert set(dataset.samples.splits["official"]) == {SPLITS.index("unlabelled")}
    assert dataset.notes == ("no official split lists here: all samples are unlabelled",)
    assert "https://git.tu-berlin.de" in dataset.splits_from
    assert "--splits" in dataset.splits_from


def test_with_lists_only_the_names_of_other_patches_are_counted(single):
    assert single.splits_from == ""
    (note,) = single.notes
    here = int((single.samples.splits["official"] < 3).sum())
    assert note.startswith(f"{519_284 - here:,} of 519,284 names in split lists are not here")


@pytest.fixture
def copy(root, tmp_path):
    return copy_writable(root, tmp_path / "v1")


def test_lists_beside_the_imagery_are_found(copy, thinned, single):
    copy_writable(thinned, copy / "splits")
    found = open_named(single.name, copy).samples
    np.testing.assert_array_equal(found.splits["official"], single.samples.splits["official"])
    assert list(found.exclude) == list(single.samples.exclude)


def test_two_columns_with_a_header_are_the_same_list(copy, thinned, truth):
    by_split = {}
    for name, row in truth.items():
        if name.startswith("S1"):
            by_split.setdefault(row["split"], []).append(f'"{row["s2"]}","{name}"')
    for split in ("train", "val", "test"):
        rows = ["s2_name,s1_name", *by_split.get(split, [])]
        (copy / f"bigearthnet-{split}.csv").write_text("\n".join(rows) + "\n")
    codes = open_named("bigearthnet-s1", copy).samples.splits["official"]
    expected = open_named("bigearthnet-s1", copy, thinned).samples.splits["official"]
    np.testing.assert_array_equal(codes, expected)


def test_one_list_gives_one_split(copy, thinned):
    dataset = open_named("bigearthnet-s1", copy, thinned / "test.csv.bz2")
    assert np.bincount(dataset.samples.splits["official"]).tolist() == [0, 0, 2, 7]


def test_a_patch_without_any_of_the_19_classes_is_left_out(copy):
    path = next((copy / "BigEarthNet-v1.0").glob("*/*.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"labels": ["Airports"]}))
    samples = open_named("bigearthnet-s2", copy).samples
    row = list(samples.ids).index(path.parent.name)
    assert samples.exclude[row] == "no 19-class label"
    assert np.count_nonzero(samples.exclude == "") == 13
    assert CLASSES_43[samples.labels["43-class"].codes[row].argmax()] == "Airports"


def test_a_missing_band_is_refused_when_it_is_read(copy):
    path = next((copy / "BigEarthNet-v1.0").glob("*69_24/*_B8A.tif"))
    path.unlink()
    dataset = open_named("bigearthnet-s1s2", copy)
    row = list(dataset.samples.ids).index(path.parent.name)
    with pytest.raises(DecodeError, match="_B8A.tif: is missing"):
        dataset.reader.read(row)


def test_a_band_of_another_size_is_refused(copy):
    path = next((copy / "BigEarthNet-v1.0").glob("*69_24/*_B8A.tif"))
    path.write_bytes(path.with_name(path.name.replace("B8A", "B09")).read_bytes())
    dataset = open_named("bigearthnet-s2", copy)
    row = list(dataset.samples.ids).index(path.parent.name)
    with pytest.raises(DecodeError, match="_B8A.tif: holds 20 × 20 pixels of uint16"):
        dataset.reader.read(row)


def test_whole_number_decibels_are_refused(shared):
    """Fixtures of another library: real layout, pixels are int16 noise."""
    root = shared / "data" / "fixtures_noise" / "bigearthnet" / "v2"
    dataset = open_named("bigearthnet-s1", root)
    with pytest.raises(DecodeError, match="pixels of int16"):
        dataset.reader.read(0)


def test_label_files_without_places_and_times_open(shared):
    samples = open_named("bigearthnet-s2", shared / "data/fixtures_noise/bigearthnet/v1").samples
    assert samples.lonlat is None
    assert set(samples.time) == {NO_TIME}
    assert set(samples.meta["season"]) == {""}
