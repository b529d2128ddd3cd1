import shutil

import numpy as np
import pytest
from PIL import Image

from featbank.datasets import DATASETS, DatasetRequest
from featbank.errors import DatasetError, MissingPathError
from featbank.image import Grid
from featbank.samples import UNLABELLED


def open_folder(root):
    return DATASETS["folder"].open(DatasetRequest(root=root))


def test_ids_are_paths_without_suffix(chips):
    assert open_folder(chips).samples.ids[0] == "class0/00"


def test_classes_are_the_folders_in_order(chips):
    assert open_folder(chips).samples.labels["class"].classes == ("class0", "class1", "class2")


def test_labels_follow_the_folders(chips):
    dataset = open_folder(chips)
    named = np.array(dataset.samples.labels["class"].classes)[dataset.samples.labels["class"].codes]
    assert all(str(i).startswith(c) for i, c in zip(dataset.samples.ids, named, strict=True))


def test_pixels_equal_an_independent_decoder(chips):
    expected = np.asarray(Image.open(chips / "class1" / "03.png")).transpose(2, 0, 1)
    row = list(open_folder(chips).samples.ids).index("class1/03")
    np.testing.assert_array_equal(open_folder(chips).reader.read(row)["image"], expected)


def test_real_jpegs_equal_pillow_within_one_grey_level(aid100):
    dataset = open_folder(aid100)
    ours = dataset.reader.read(1234)["image"].astype(int)
    path = aid100 / dataset.samples.origins[1234].split("\t")[0]
    assert np.abs(ours - np.asarray(Image.open(path)).transpose(2, 0, 1)).max() <= 1


def test_three_byte_bands_are_red_green_blue(chips):
    assert [band.role for band in open_folder(chips).bands] == ["red", "green", "blue"]


def test_other_band_counts_are_numbered(eurosat100):
    dataset = open_folder(eurosat100)
    assert [band.name for band in dataset.bands] == [f"b{i}" for i in range(1, 14)]


def test_tiff_pixels_keep_dtype_and_size(eurosat100):
    dataset = open_folder(eurosat100)
    grid = Grid(name="image", bands=dataset.grids[0].bands, dtype="uint16")
    assert (dataset.grids[0], dataset.reader.read(0)["image"].shape) == (grid, (13, 64, 64))


def test_geotiffs_know_their_places(eurosat100):
    lonlat = open_folder(eurosat100).samples.lonlat
    # EuroSAT covers European countries.
    assert ((lonlat > [-25, 34]) & (lonlat < [45, 72])).all()


def test_real_planar_tiffs_are_band_first(shared, tmp_path):
    shutil.copytree(shared / "data" / "sen1floods11" / "S2", tmp_path / "chips" / "flood")
    pixels = open_folder(tmp_path / "chips").reader.read(0)["image"]
    assert (pixels.shape, pixels.dtype) == ((13, 512, 512), np.int16)


def test_split_folders_become_the_official_scheme(chips, tmp_path):
    for name in ("train", "valid", "test"):
        shutil.copytree(chips, tmp_path / "split" / name)
    samples = open_folder(tmp_path / "split").samples
    assert np.bincount(samples.splits["official"]).tolist() == [24, 24, 24]


def test_greyscale_with_opacity_loses_the_opacity(tmp_path):
    folder = tmp_path / "g" / "a"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 2), dtype=np.uint8)
    Image.fromarray(pixels, "LA").save(folder / "x.png")
    image = open_folder(tmp_path / "g").reader.read(0)["image"]
    np.testing.assert_array_equal(image, pixels[None, ..., 0])


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingPathError, match="nowhere: there is no such folder"):
        open_folder(tmp_path / "nowhere")


def test_an_empty_class_folder_is_named(chips):
    (chips / "class9").mkdir()
    with pytest.raises(DatasetError, match="class9: this class folder holds no image"):
        open_folder(chips)


def test_stray_images_are_named(chips):
    shutil.copy(chips / "class0" / "00.png", chips / "stray.png")
    with pytest.raises(DatasetError, match=r"stray\.png"):
        open_folder(chips)


def test_two_files_of_one_id_are_named(chips):
    shutil.copy(chips / "class0" / "00.png", chips / "class0" / "00.jpg")
    with pytest.raises(DatasetError, match="class0/00: 2 samples bear this id"):
        open_folder(chips)


def test_a_folder_without_class_folders_is_named(tmp_path):
    with pytest.raises(DatasetError, match="holds no class folders"):
        open_folder(tmp_path)


def test_a_broken_first_file_does_not_hide_the_rest(chips):
    (chips / "class0" / "00.png").write_bytes(b"hello")
    assert len(open_folder(chips).bands) == 3


def open_unlabelled(root):
    return DATASETS["folder"].open(DatasetRequest(root=root, needs_labels=False))


def test_images_without_class_folders_are_taken_where_no_labels_are_needed(tmp_path, chips):
    flat = tmp_path / "flat"
    shutil.copytree(chips / "class0", flat / "deep" / "er")
    shutil.copy(chips / "class1" / "03.png", flat / "top.png")
    samples = open_unlabelled(flat).samples
    assert list(samples.ids) == [*(f"deep/er/{i:02d}" for i in range(8)), "top"]
    assert samples.labels == {}
    assert set(samples.splits["official"].tolist()) == {UNLABELLED}


def test_class_folders_keep_their_labels_where_none_are_needed(chips):
    assert open_unlabelled(chips).samples.labels["class"].classes == ("class0", "class1", "class2")


def test_hidden_folders_hold_no_images(tmp_path, chips):
    shutil.copytree(chips / "class0", tmp_path / "flat")
    shutil.copytree(chips / "class0", tmp_path / "flat" / ".thumbnails")
    assert len(open_unlabelled(tmp_path / "flat").samples) == 8


def test_a_folder_without_images_is_refused_where_no_labels_are_needed(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DatasetError, match="this folder holds no image"):
        open_unlabelled(tmp_path)
