"""A folder's files are asked one by one; the first ones tell bands and type alone."""

import made_images
import numpy as np
import pytest
import rasterio
from made_images import BYTES, COUNTS, chunky, gaps, pages, pil, rio, tif
from PIL import Image

from featbank.datasets import DATASETS, DatasetRequest
from featbank.datasets._folder_reader import common_layout
from featbank.datasets.decode import FileLayout, decode
from featbank.datasets.side_files import side_files, with_side_files
from featbank.errors import DecodeError
from featbank.image import BandPicker, with_missing

GREY, COLOUR = Image.fromarray(BYTES[0]), Image.fromarray(chunky(BYTES[:3]))


def folder(tmp_path, **writers):
    """A folder of one class; writers by name, suffixes after an underscore."""
    root = tmp_path / "chips"
    (root / "a").mkdir(parents=True)
    for name, write in writers.items():
        write(root / "a" / name.replace("_", "."))
    return root


def opened(root):
    return DATASETS["folder"].open(DatasetRequest(root=root))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp", "jp2"])
def test_grey_beside_colour_becomes_three_equal_bands_in_every_format(tmp_path, suffix):
    formats = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}
    save = {"format": formats.get(suffix, suffix.upper())}
    grey = COLOUR.convert("L") if suffix == "webp" else GREY
    root = folder(
        tmp_path, **{f"0_{suffix}": pil(grey, **save), f"1_{suffix}": pil(COLOUR, **save)}
    )
    dataset = opened(root)
    red, green, blue = dataset.reader.read(0)["image"]
    assert len(dataset.bands) == 3
    if suffix != "webp":  # which is always coloured
        np.testing.assert_array_equal(red, green)
        np.testing.assert_array_equal(red, blue)
    assert dataset.reader.read(1)["image"].shape == (3, *BYTES[0].shape)


@pytest.mark.parametrize("save", [{"format": "JPEG"}, {"format": "PNG"}, {"format": "TIFF"}])
def test_grey_alone_is_one_band_in_every_format(tmp_path, save):
    assert len(opened(folder(tmp_path, x_tif=pil(GREY, **save))).bands) == 1


def test_one_band_beside_three_that_are_no_colours_is_refused(tmp_path):
    plain = {"photometric": "MINISBLACK"}
    reader = opened(folder(tmp_path, a_tif=rio(BYTES[:3], **plain), b_tif=rio(BYTES[:1]))).reader
    with pytest.raises(
        DecodeError,
        match=r"holds 1 band of \d+ × \d+ px, where the first image of the folder holds 3;",
    ):
        reader.read(1)


def test_layouts_may_change_from_file_to_file(tmp_path):
    eight = BYTES[:8, :8, :8]
    root = folder(
        tmp_path,
        a_tif=tif(eight, planarconfig="separate", photometric="minisblack"),
        b_tif=tif(chunky(eight), planarconfig="contig", photometric="minisblack"),
        c_tif=pages(*eight),
    )
    reader = opened(root).reader
    for row in range(3):
        np.testing.assert_array_equal(reader.read(row)["image"], eight)


def test_scale_tags_make_floats_and_are_told(tmp_path):
    scaled = rio(COUNTS[:2], made_images.scaled([0.5, 2.0], [1.0, 0.0]))
    dataset = opened(folder(tmp_path, x_tif=scaled))
    assert dataset.grids[0].dtype == "float32"
    assert dataset.processing == "as stored in the files, scale and offset tags applied"
    expected = np.stack([COUNTS[0] * 0.5 + 1, COUNTS[1] * 2.0]).astype(np.float32)
    np.testing.assert_array_equal(dataset.reader.read(0)["image"], expected)


def test_a_stack_of_bands_among_single_ones_is_told_in_words(tmp_path):
    reader = opened(folder(tmp_path, a_tif=rio(BYTES[:1]), b_tif=rio(BYTES[:5]))).reader
    rows, columns = BYTES[0].shape
    match = f"holds 5 bands of {rows} × {columns} px, where the first image of the folder holds 1;"
    with pytest.raises(DecodeError, match=match):
        reader.read(1)


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (0, "has no scale and offset tags, where the first image of the folder has them;"),
        (1, "has scale and offset tags, where the first image of the folder has none;"),
    ],
)
def test_scale_tags_in_some_files_alone_are_named(tmp_path, first, told):
    """Before, the type was blamed, which is one and the same in all files."""
    kinds = [rio(COUNTS[:1], made_images.scaled([0.5], [1.0])), rio(COUNTS[:1])]
    reader = opened(folder(tmp_path, a_tif=kinds[first], b_tif=kinds[1 - first])).reader
    reader.read(0)
    with pytest.raises(DecodeError, match=told):
        reader.read(1)


def test_a_publisher_s_numbers_are_not_scaled(tmp_path):
    rio(COUNTS[:1], made_images.scaled([0.5], [1.0]))(tmp_path / "x.tif")
    layout = FileLayout(bands=1, dtype="uint16", applies_scale=False)
    pixels = decode((tmp_path / "x.tif").read_bytes(), name="x", layout=layout)
    np.testing.assert_array_equal(pixels, COUNTS[:1])


def test_a_map_of_codes_keeps_its_indices(tmp_path):
    path = made_images.write_kind(tmp_path, "palette")
    layout = FileLayout(bands=1, dtype="uint8", takes_indices=True)
    np.testing.assert_array_equal(decode(path.read_bytes(), name="x", layout=layout), BYTES[:1])


def test_opacity_is_a_mask_and_is_told(tmp_path):
    four = np.concatenate([BYTES[:3], made_images.OPACITY[None]])
    dataset = opened(folder(tmp_path, x_tif=rio(four)))
    assert [band.role for band in dataset.bands] == ["red", "green", "blue"]
    assert dataset.processing.endswith("opacity read as a mask")
    missing = np.ma.getmaskarray(dataset.reader.read(0)["image"])
    np.testing.assert_array_equal(missing, np.broadcast_to(made_images.OPACITY == 0, missing.shape))


def test_suffixes_say_nothing(tmp_path):
    root = folder(
        tmp_path, x_bmp=pil(COLOUR, format="PNG"), y_jp2=pil(COLOUR, format="WEBP", lossless=True)
    )
    for row in range(2):
        np.testing.assert_array_equal(opened(root).reader.read(row)["image"], BYTES[:3])


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_files_beside_an_image_reach_its_reader(tmp_path):
    holed = gaps(COUNTS[:2], 7)
    side = made_images.band_of("<NoDataValue>7</NoDataValue>")
    root = folder(
        tmp_path, a_tif=rio(holed), b_tif=made_images.beside(rio(holed), ".aux.xml", side)
    )
    reader = opened(root).reader
    assert not isinstance(reader.read(0)["image"], np.ma.MaskedArray)
    with rasterio.open(root / "a" / "b.tif") as file:
        expected = file.read_masks() == 0
    np.testing.assert_array_equal(reader.read(1)["image"].mask, expected)


def test_side_files_are_those_that_exist_in_a_fixed_order(tmp_path):
    for name in ("x.tif", "x.tif.msk", "x.tif.aux.xml", "x.tif.ovr", "x.tfw", "y.tif"):
        (tmp_path / name).touch()
    names = [path.name for path in side_files(tmp_path / "x.tif")]
    assert names == ["x.tif.aux.xml", "x.tif.msk"]
    assert side_files(tmp_path / "y.tif") == ()
    assert with_side_files(tmp_path, ["x.tif", "y.tif"]) == {"x.tif"}


def test_unreadable_files_in_front_are_passed_over(tmp_path):
    root = folder(tmp_path, a_tif=lambda p: p.write_bytes(b"hello"), b_tif=rio(COUNTS[:4]))
    assert common_layout(root, ["a/a.tif", "a/b.tif"]).layout.bands == 4


def test_picked_bands_without_gaps_are_plain(tmp_path):
    missing = np.zeros((2, 4, 4), dtype=bool)
    missing[0, 1, 1] = True

    class Reader:
        def read(self, index):
            return {"g": with_missing(np.zeros((2, 4, 4)), missing)}

    assert type(BandPicker(Reader(), {"g": (1,)}).read(0)["g"]) is np.ndarray
    assert BandPicker(Reader(), {"g": (0,)}).read(0)["g"].mask.sum() == 1


def test_few_bits_beside_eight_are_refused(tmp_path):
    four = rio(BYTES[:1] % 16, nbits=4)
    reader = opened(folder(tmp_path, a_tif=rio(BYTES[:1]), b_tif=four)).reader
    with pytest.raises(
        DecodeError, match=r"has numbers of 4 bits, where the first .* has 8; expected 8"
    ):
        reader.read(1)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(
    "write",
    [tif(chunky(BYTES[:4])), tif(chunky(COUNTS[:4])), rio(BYTES[:4])],
    ids=["tifffile, 8 bits", "tifffile, 16 bits", "rasterio"],
)
def test_a_fourth_band_that_programs_call_opacity_by_default_is_a_band(tmp_path, write):
    dataset = opened(folder(tmp_path, x_tif=write))
    with rasterio.open(tmp_path / "chips" / "a" / "x.tif") as file:
        assert file.colorinterp[3].name in {"alpha", "undefined"}
        np.testing.assert_array_equal(dataset.reader.read(0)["image"], file.read())
    assert any("b4 is called opacity by the files" in note for note in dataset.notes)


def test_opacity_that_is_read_as_a_mask_is_told(tmp_path):
    masked = rio(np.concatenate([BYTES[:3], made_images.OPACITY[None]]))
    dataset = opened(folder(tmp_path, x_tif=masked))
    assert len(dataset.bands) == 3
    assert any("read as a mask" in note for note in dataset.notes)


def test_among_files_with_opacity_one_whose_opacity_is_a_band_is_refused(tmp_path):
    masked = rio(np.concatenate([BYTES[:3], made_images.OPACITY[None]]))
    reader = opened(folder(tmp_path, a_tif=masked, b_tif=rio(BYTES[:4]))).reader
    with pytest.raises(DecodeError, match=r"b\.tif: calls its last band opacity, though it is"):
        reader.read(1)
