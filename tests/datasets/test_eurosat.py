"""EuroSAT on its 100 real chips with their lists, and on real files of both variants."""

import shutil

import numpy as np
import pytest
import tifffile
from fake_bigearthnet import copy_writable
from PIL import Image

from featbank.datasets import DATASETS, DatasetRequest
from featbank.errors import DatasetError, MissingPathError
from featbank.samples import SPLITS

FILE_ORDER = [*(f"B{i:02d}" for i in range(1, 13)), "B8A"]


def open_named(name, root, splits=None):
    return DATASETS[name].open(DatasetRequest(root=root, splits=splits))


def fails(name, root, splits=None, kind=DatasetError):
    with pytest.raises(kind) as caught:
        open_named(name, root, splits)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def root(shared):
    return shared / "data" / "eurosat100"


@pytest.fixture(scope="module")
def hundred(root):
    return open_named("eurosat-ms", root)


@pytest.fixture(scope="module")
def mixed(shared):
    """Three real files of each variant, side by side."""
    return shared / "data" / "fixtures_real"


@pytest.fixture
def copy(root, tmp_path):
    return copy_writable(root, tmp_path / "eurosat100")


def test_ids_are_the_files(hundred, root):
    assert sorted(hundred.samples.ids) == sorted(path.stem for path in root.rglob("*.tif"))


def test_labels_are_the_folders(hundred):
    label_set = hundred.samples.labels["class"]
    named = np.array(label_set.classes)[label_set.codes]
    assert [str(i).split("_")[0] for i in hundred.samples.ids] == list(named)
    assert np.bincount(label_set.codes).tolist() == [10] * 10


def test_splits_equal_the_lists(hundred, root):
    listed = {
        name.removesuffix(".tif"): split
        for split in ("train", "val", "test")
        for name in (root / f"eurosat-{split}.txt").read_text().split()
    }
    found = [SPLITS[code] for code in hundred.samples.splits["random"]]
    assert found == [listed[name] for name in hundred.samples.ids]
    assert list(hundred.samples.splits) == ["random"]


def test_bands_stand_in_file_order(hundred):
    assert [band.name for band in hundred.bands] == FILE_ORDER
    assert {band.unit for band in hundred.bands} == {"DN"}


def test_pixels_equal_the_files(hundred, root):
    for row in range(0, 100, 9):
        path = root / "EuroSATallBands" / hundred.samples.origins[row].split("\t")[0]
        pixels = hundred.reader.read(row)["image"]
        np.testing.assert_array_equal(pixels, tifffile.imread(path).transpose(2, 0, 1))
        assert pixels.dtype == np.uint16


def test_published_statistics_fit_the_bands_they_name(hundred):
    """Every band's mean over the 100 chips is nearer to its own than a swapped order would be."""
    means = np.mean([hundred.reader.read(row)["image"].mean(axis=(1, 2)) for row in range(100)], 0)
    published = [hundred.statistics.values[name][0] for name in FILE_ORDER]
    np.testing.assert_allclose(means, published, rtol=0.2)


def test_places_are_in_europe(hundred):
    lonlat = hundred.samples.lonlat
    assert ((lonlat > [-25, 34]) & (lonlat < [45, 72])).all()


def test_colour_pixels_equal_pillow_within_one_grey_level(mixed):
    dataset = open_named("eurosat-rgb", mixed)
    for row, origin in enumerate(dataset.samples.origins):
        path = mixed / "EuroSAT_RGB" / origin.split("\t")[0]
        expected = np.asarray(Image.open(path)).astype(int).transpose(2, 0, 1)
        assert np.abs(dataset.reader.read(row)["image"].astype(int) - expected).max() <= 1


def test_both_variants_bear_the_same_ids(mixed):
    colour, all_bands = (open_named(name, mixed).samples for name in ("eurosat-rgb", "eurosat-ms"))
    assert (
        list(colour.ids) == list(all_bands.ids) == ["AnnualCrop_1", "Pasture_300", "SeaLake_3000"]
    )
    np.testing.assert_array_equal(colour.labels["class"].codes, [0, 5, 9])


def test_both_variants_show_the_same_place(mixed):
    """The RGB form is B04, B03, B02 with 0..2750 stretched to 0..255, as JPEG."""
    colour, all_bands = (open_named(name, mixed) for name in ("eurosat-rgb", "eurosat-ms"))
    for row in range(3):
        bands = all_bands.reader.read(row)["image"][[3, 2, 1]].astype(float)
        stretched = np.clip(bands / 2750 * 255, 0, 255)
        assert np.abs(stretched - colour.reader.read(row)["image"]).mean() < 8


@pytest.mark.parametrize(
    "folder", ["", "EuroSAT_MS", "ds/images/remote_sensing/otherDatasets/sentinel_2/tif"]
)
def test_published_layouts_are_the_same_dataset(hundred, root, tmp_path, folder):
    copy_writable(root / "EuroSATallBands", tmp_path / folder)
    for path in root.glob("*.txt"):
        shutil.copyfile(path, tmp_path / path.name)
    found = open_named("eurosat-ms", tmp_path).samples
    assert list(found.origins) == list(hundred.samples.origins)
    np.testing.assert_array_equal(found.splits["random"], hundred.samples.splits["random"])


def test_the_first_rgb_archive_opens(mixed, tmp_path):
    copy_writable(mixed / "EuroSAT_RGB", tmp_path / "2750")
    assert len(open_named("eurosat-rgb", tmp_path).samples) == 3


def test_spatial_lists_are_a_scheme_of_their_own(copy):
    names = [path.stem for path in sorted(copy.rglob("*.tif"))]
    for split, part in (("train", names[:60]), ("val", names[60:80]), ("test", names[80:])):
        text = "\n".join(f"{name}.jpg" for name in part)
        (copy / f"eurosat-spatial-{split}.txt").write_text(text)
    splits = open_named("eurosat-ms", copy).samples.splits
    assert list(splits) == ["random", "spatial"]
    assert splits["spatial"].tolist() == [0] * 60 + [1] * 20 + [2] * 20


def test_lists_may_stand_elsewhere(mixed, root, hundred, tmp_path):
    copy_writable(root / "EuroSATallBands", tmp_path / "EuroSATallBands")
    found = open_named("eurosat-ms", tmp_path, root).samples
    np.testing.assert_array_equal(found.splits["random"], hundred.samples.splits["random"])
    one = open_named("eurosat-ms", tmp_path, root / "eurosat-val.txt").samples
    assert np.bincount(one.splits["random"]).tolist() == [0, 20, 0, 80]


def test_without_lists_all_is_unlabelled_and_said(mixed):
    dataset = open_named("eurosat-ms", mixed)
    assert set(dataset.samples.splits["random"]) == {SPLITS.index("unlabelled")}
    assert dataset.notes == ("no split lists here: all samples are unlabelled",)
    assert "https://huggingface.co/datasets/torchgeo/eurosat" in dataset.splits_from


def test_leaking_lists_are_refused(shared):
    """The noise fixtures of another library list the same chips in every split."""
    message = fails("eurosat-ms", shared / "data" / "fixtures_noise" / "eurosat")
    assert "eurosat-val.txt: lists 'AnnualCrop_1', which eurosat-train.txt lists too" in message


def test_no_root(tmp_path):
    message = fails("eurosat-ms", tmp_path / "nowhere", kind=MissingPathError)
    assert "nowhere: there is no such folder" in message


def test_no_images(tmp_path):
    assert "holds no class folders of eurosat-rgb" in fails("eurosat-rgb", tmp_path)


def test_two_copies(copy):
    copy_writable(copy / "EuroSATallBands", copy / "EuroSAT_MS")
    assert "holds 2 copies (EuroSATallBands, EuroSAT_MS)" in fails("eurosat-ms", copy)


def test_the_other_variant(mixed):
    message = fails("eurosat-ms", mixed / "EuroSAT_RGB")
    assert "without any .tif file" in message
    assert "JPEG images are eurosat-rgb" in message


def test_a_folder_that_is_no_class(copy):
    (copy / "EuroSATallBands" / "Sealake").mkdir()
    message = fails("eurosat-ms", copy)
    assert "Sealake: is no class of EuroSAT" in message
    assert "Did you mean 'SeaLake'?" in message


def test_splits_that_are_not_there(root, tmp_path):
    message = fails("eurosat-ms", root, tmp_path / "nowhere", kind=MissingPathError)
    assert "nowhere: there is no such file or folder" in message


def test_splits_without_lists(root, tmp_path):
    assert "holds no split list of EuroSAT" in fails("eurosat-ms", root, tmp_path)


def test_lists_of_other_chips(copy):
    (copy / "eurosat-train.txt").write_text("Lake_1.tif\n")
    (copy / "eurosat-val.txt").unlink()
    (copy / "eurosat-test.txt").unlink()
    assert "lists none of the 100 samples that are here, but 'Lake_1'" in fails("eurosat-ms", copy)


def test_what_a_mac_or_a_disk_station_leaves_is_no_chip(copy):
    """An unpacked archive of macOS bears a '._' twin of each file, named like an image."""
    images = copy / "EuroSATallBands"
    (images / "Forest" / "._Forest_1.tif").write_bytes(b"\0\5\26\7")
    for folder in ("__MACOSX", "@eaDir", "Forest/.ipynb_checkpoints"):
        (images / folder).mkdir()
    assert len(open_named("eurosat-ms", copy).samples) == 100
