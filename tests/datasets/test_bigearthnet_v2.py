"""BigEarthNet v2.0 on one real patch of each kind and on real rows of the metadata."""

import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile
from fake_bigearthnet import copy_writable, make_v2_folders

from featbank.datasets import DATASETS, DatasetRequest
from featbank.datasets._bigearthnet_metadata import LEFT_OUT, MAIN
from featbank.errors import DecodeError
from featbank.samples import SPLITS

GRIDS = {
    "10m": ("B02", "B03", "B04", "B08"),
    "20m": ("B05", "B06", "B07", "B8A", "B11", "B12"),
    "60m": ("B01", "B09"),
}
WORDS = {"train": "train", "validation": "val", "test": "test"}
S2_PATCH = "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_75_43"
S1_PATCH = "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_70_48"
MAP_PATCH = "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57"


def open_named(name, root, splits=None):
    return DATASETS[name].open(DatasetRequest(root=root, splits=splits))


@pytest.fixture(scope="module")
def real(shared):
    return shared / "data" / "fixtures_real" / "BigEarthNet"


@pytest.fixture(scope="module")
def rows_folder(shared):
    return shared / "data" / "bigearthnet_v2_rows"


@pytest.fixture(scope="module")
def rows(rows_folder):
    tables = [pd.read_parquet(rows_folder / name) for name in (MAIN, LEFT_OUT)]
    return pd.concat(tables).set_index("patch_id").sort_index()


@pytest.fixture(scope="module")
def root(rows, rows_folder, tmp_path_factory):
    """Folders of all real rows, and their metadata, as the publisher lays them out."""
    folder = tmp_path_factory.mktemp("v2")
    make_v2_folders(folder, s2=rows.index, s1=rows["s1_name"])
    return copy_writable(rows_folder, folder)


@pytest.fixture(scope="module", params=["bigearthnet-s1", "bigearthnet-s2", "bigearthnet-s1s2"])
def dataset(request, root):
    return open_named(request.param, root)


@pytest.fixture(scope="module")
def told(dataset, rows):
    """The metadata row of every sample, in their order."""
    if dataset.name == "bigearthnet-s1":
        return rows.reset_index().set_index("s1_name").loc[list(dataset.samples.ids)]
    return rows.loc[list(dataset.samples.ids)].reset_index()


def test_every_row_is_a_sample(dataset, rows):
    assert len(dataset.samples) == len(rows) == 24


def test_labels_equal_the_metadata(dataset, told):
    label_set = dataset.samples.labels["19-class"]
    found = [{label_set.classes[k] for k in np.flatnonzero(codes)} for codes in label_set.codes]
    assert found == [set(labels) for labels in told["labels"]]


def test_splits_equal_the_metadata(dataset, told):
    found = [SPLITS[code] for code in dataset.samples.splits["official"]]
    assert found == [WORDS[word] for word in told["split"]]
    assert set(found) == {"train", "val", "test"}


def test_snow_and_clouds_are_left_out(dataset, told):
    snow = np.where(told["contains_seasonal_snow"], "seasonal snow", "")
    expected = np.where(told["contains_cloud_or_shadow"], "cloud or shadow", snow)
    assert list(dataset.samples.exclude) == list(expected)
    assert sorted(set(expected)) == ["", "cloud or shadow", "seasonal snow"]


def test_both_sensors_bear_the_sentinel2_name(dataset, told):
    assert list(dataset.samples.pair_id) == list(told["patch_id"])


def test_countries_are_told(dataset, told):
    assert list(dataset.samples.meta["country"]) == list(told["country"])


def test_pairs_read_both_folders_of_a_row(root, rows):
    readers = open_named("bigearthnet-s1s2", root).reader.readers
    names = [[name.decode() for name in reader.names] for reader in readers]
    assert [rows["s1_name"][name] for name in names[1]] == names[0]


def test_other_patches_are_unknown_and_counted(root, tmp_path):
    copy = copy_writable(root, make_v2_folders(tmp_path / "v2", s2=[S2_PATCH, MAP_PATCH]))
    found = open_named("bigearthnet-s2", copy)
    assert found.samples.labels["19-class"].codes.min(axis=1).tolist() == [0, -1]
    assert found.samples.splits["official"].tolist() == [2, 3]
    assert found.notes == ("1 of 2 patches are not in metadata.parquet: their labels are unknown",)


def test_without_metadata_all_is_unknown_and_said(real):
    found = open_named("bigearthnet-s2", real)
    assert (found.samples.labels["19-class"].codes == -1).all()
    assert found.notes == ("no official split lists here: all samples are unlabelled",)
    assert "https://zenodo.org/records/10891137" in found.splits_from


def test_metadata_may_stand_elsewhere(root, rows_folder, rows, tmp_path):
    make_v2_folders(tmp_path, s2=rows.index)
    for named in (rows_folder, rows_folder / MAIN):
        found = open_named("bigearthnet-s2", tmp_path, named).samples
        expected = open_named("bigearthnet-s2", root).samples
        np.testing.assert_array_equal(found.splits["official"], expected.splits["official"])


def test_optical_pixels_equal_the_files(real):
    dataset = open_named("bigearthnet-s2", real)
    folder = real / "BigEarthNet-S2" / S2_PATCH.rsplit("_", 2)[0] / S2_PATCH
    image = dataset.reader.read(0)
    for grid, bands in GRIDS.items():
        expected = np.stack([tifffile.imread(folder / f"{S2_PATCH}_{b}.tif") for b in bands])
        np.testing.assert_array_equal(image[grid], expected)


def test_radar_pixels_equal_the_files(real):
    dataset = open_named("bigearthnet-s1", real)
    folder = real / "BigEarthNet-S1" / S1_PATCH.rsplit("_", 3)[0] / S1_PATCH
    expected = [tifffile.imread(folder / f"{S1_PATCH}_{band}.tif") for band in ("VV", "VH")]
    np.testing.assert_array_equal(dataset.reader.read(0)["s1"], np.stack(expected))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("bigearthnet-s2", f"BigEarthNet-S2/{S2_PATCH[:-6]}/{S2_PATCH}/{S2_PATCH}_B02.tif"),
        ("bigearthnet-s1", f"BigEarthNet-S1/{S1_PATCH[:32]}/{S1_PATCH}/{S1_PATCH}_VH.tif"),
    ],
)
def test_places_from_names_are_those_of_the_files(real, name, path):
    from pyproj import Transformer

    with tifffile.TiffFile(real / path) as tiff:
        tags = tiff.pages.first.tags
        easting, northing = tags.valueof(33922)[3:5]
        epsg = tags.valueof(34735)[-5]
    transform = Transformer.from_crs(f"EPSG:{epsg}", "EPSG:4326", always_xy=True).transform
    expected = transform(easting + 600, northing - 600)
    np.testing.assert_allclose(open_named(name, real).samples.lonlat[0], expected, atol=1e-9)


def test_times_are_in_the_names(real):
    for name, text in (("s1", "2017-06-13T16:50:43"), ("s2", "2017-06-13T10:10:31")):
        seconds = int(open_named(f"bigearthnet-{name}", real).samples.time[0])
        assert str(np.datetime64(seconds, "s")) == text


def test_groups_are_acquisitions(real):
    assert open_named("bigearthnet-s2", real).samples.group[0] == S2_PATCH.rsplit("_", 2)[0]
    assert open_named("bigearthnet-s1", real).samples.group[0] == S1_PATCH.rsplit("_", 3)[0]


def test_map_and_metadata_row_agree(root, real, rows, tmp_path):
    """A patch's labels are the classes that occur in its map (the smallest here: 8 % of it)."""
    make_v2_folders(tmp_path, s2=[MAP_PATCH], s1=[rows["s1_name"][MAP_PATCH]])
    shutil.copyfile(root / MAIN, tmp_path / MAIN)
    copy_writable(real / "Reference_Maps", tmp_path / "Reference_Maps")
    for name in ("bigearthnet-s1", "bigearthnet-s2", "bigearthnet-s1s2"):
        masks = open_named(name, tmp_path).masks
        pixels = masks.reader.read_mask(0)
        assert (pixels.shape, pixels.dtype) == (masks.size_px, np.int16)
        assert {masks.classes[k] for k in np.unique(pixels)} == set(rows["labels"][MAP_PATCH])


def test_a_missing_map_is_named(real):
    with pytest.raises(DecodeError, match="T33UUP_75_43_reference_map.tif: is missing"):
        open_named("bigearthnet-s2", real).masks.reader.read_mask(0)


def test_no_map_without_the_sentinel2_name(real):
    assert open_named("bigearthnet-s1", real).masks is None


def test_this_edition_has_no_offset(real):
    """Baseline 04.00 would have put every pixel above 1,000; dark ones are near 0 here."""
    image = open_named("bigearthnet-s2", real).reader.read(0)
    assert image["10m"].min() < 100


def test_statistics_keep_the_order_of_polarisations(root):
    values = open_named("bigearthnet-s1", root).statistics.values
    assert values["VV"][0] - values["VH"][0] == pytest.approx(6.71, abs=0.01)
