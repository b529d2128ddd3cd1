"""Chips are drawn in the colours that a person expects, and never fail a sheet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from fake_dataset import radar
from PIL import Image
from small_store import make_small_store

import featbank
from featbank.bands import RGB, SENTINEL2_L2A, WHU_OHS, Band
from featbank.errors import DecodeError, StoreError, UnknownNameError
from featbank.image import Grid
from featbank.pictures import chip_pictures
from featbank.pictures.chip_pictures import GREY_TILE, ChipPictures
from featbank.pictures.rendering import Limits, as_picture, as_tile, channels, limits_of
from featbank.pictures.shown_bands import Shown, shown_bands

IDS = [f"chip-{i:03d}" for i in range(20)]


@dataclass(frozen=True)
class Levels:
    """Bands B04, B03 and B02 whose level grows with the row; row 0 is dark sea of faint noise."""

    torn: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    opened: list = field(default_factory=list)

    def read(self, index):
        self.opened.append(index)
        if index in self.torn:
            raise DecodeError(f"{index}.tif", "is torn", "a whole file", "Replace it.")
        if index in self.gone:
            raise FileNotFoundError(2, "No such file", f"{index}.tif")
        noise = np.random.default_rng(index).integers(0, 6, (3, 8, 8))
        ramp = np.arange(64).reshape(8, 8) * (index > 0) * 20
        level = np.array([300, 500, 700])[:, None, None] + 100 * index
        return {"10m": (level + ramp + noise).astype(np.uint16)}


def optical(reader):
    """The made radar dataset's samples, seen by three bands of Sentinel-2."""
    bands = tuple(b for name in ("B04", "B03", "B02") for b in SENTINEL2_L2A if b.name == name)
    grid = Grid(name="10m", bands=("B04", "B03", "B02"), dtype="uint16", size_px=(8, 8))
    return replace(radar(), bands=bands, grids=(grid,), reader=reader, masks=None)


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Pictures of a store whose dataset is put in place of what the bank remembers."""
    store = make_small_store(tmp_path / "s.zarr", IDS, np.eye(20, 4) + 1, refused=(5,))

    def make(dataset):
        monkeypatch.setattr(chip_pictures, "dataset_of", lambda _store: dataset)
        return ChipPictures(store)

    return make


def test_eight_bit_pixels_are_shown_as_they_are(chips, tmp_path):
    store = featbank.embed("imagestats", chips, bank=tmp_path / "bank", workers=0)
    drawn = ChipPictures(store).rgb(["class1/03"])[0]
    np.testing.assert_array_equal(drawn, np.asarray(Image.open(chips / "class1" / "03.png")))


def test_a_dark_chip_stays_dark_and_does_not_become_noise(pictures):
    sea = pictures(optical(Levels())).rgb([IDS[0]])[0]
    assert sea.max() < 60
    assert np.ptp(sea, axis=(0, 1)).max() < 50


def test_brighter_chips_of_one_dataset_are_drawn_brighter(pictures):
    means = [chip.mean() for chip in pictures(optical(Levels())).rgb(IDS)]
    assert (np.diff(means) >= 0).all()
    assert means[-1] > means[1] + 80


def test_the_order_of_the_ids_is_kept(pictures):
    drawn = pictures(optical(Levels()))
    first, second = drawn.rgb([IDS[7], IDS[2]])
    np.testing.assert_array_equal(second, drawn.rgb([IDS[2]])[0])
    assert first.mean() > second.mean()


def test_an_id_that_the_store_does_not_hold_is_refused(pictures):
    drawn = pictures(optical(Levels()))
    for draw in (lambda ids: drawn.rgb(ids), lambda ids: drawn.thumbnails(ids, 4)):
        with pytest.raises(UnknownNameError, match=r"chip-0071: .* Did you mean 'chip-0"):
            draw([IDS[0], "chip-0071"])


def test_a_torn_image_is_named(pictures):
    with pytest.raises(StoreError, match="chip 'chip-003': does not decode .*torn"):
        pictures(optical(Levels(torn=(3,)))).rgb([IDS[3]])


@pytest.mark.parametrize("reader", [Levels(torn=(3,)), Levels(gone=(3,))])
def test_an_image_that_does_not_read_is_a_grey_tile(pictures, reader):
    tiles = pictures(optical(reader)).thumbnails(IDS[2:5], 4)
    assert (tiles[1] == GREY_TILE).all()
    assert (tiles[[0, 2]].std(axis=(1, 2, 3)) > 1).all()


def test_a_refused_chip_is_a_grey_tile_and_is_not_read(pictures):
    drawn = pictures(optical(Levels()))
    drawn.rgb(IDS[:1])
    drawn.dataset.reader.opened.clear()
    assert (drawn.thumbnails([IDS[5]], 4) == GREY_TILE).all()
    assert drawn.dataset.reader.opened == []


def test_an_image_that_left_the_dataset_is_a_grey_tile(pictures):
    dataset = optical(Levels())
    drawn = pictures(replace(dataset, samples=dataset.samples.take(np.arange(10))))
    assert (drawn.thumbnails([IDS[15]], 4) == GREY_TILE).all()
    with pytest.raises(StoreError, match="no longer in"):
        drawn.rgb([IDS[15]])


def test_thumbnails_are_the_pictures_averaged(pictures):
    drawn = pictures(optical(Levels()))
    whole = drawn.rgb([IDS[9]])[0].astype(float)
    expected = whole.reshape(4, 2, 4, 2, 3).mean(axis=(1, 3))
    # Rounded to whole numbers along each axis.
    np.testing.assert_allclose(drawn.thumbnails([IDS[9]], 4)[0], expected, atol=1)


def test_a_chip_that_is_not_square_gives_its_centre():
    wide = np.zeros((4, 8, 3), np.uint8)
    wide[:, 2:6] = 200
    assert (as_tile(wide, 2) == 200).all()


def test_a_small_chip_is_enlarged_in_whole_pixels():
    chip = np.array([[0, 100], [200, 50]], np.uint8)[..., None].repeat(3, axis=2)
    np.testing.assert_array_equal(as_tile(chip, 4)[..., 0], np.kron(chip[..., 0], np.ones((2, 2))))


def test_radar_is_vv_vh_and_their_ratio():
    image = {"s1": np.array([[[-9.0, -5.0]], [[-16.0, -20.0]]], np.float32)}
    grids = radar().grids
    drawn = channels(image, grids, shown_bands(radar()))
    np.testing.assert_allclose(drawn[:, 0], [[-9, -5], [-16, -20], [7, 15]])


def test_coarser_bands_are_resampled_between_their_pixels():
    grids = (Grid(name="a", bands=("x",), dtype="uint16"), Grid(name="b", bands=("y",), dtype="f4"))
    image = {"a": np.zeros((1, 2, 4), np.uint16), "b": np.array([[[0.0, 8.0]]], np.float32)}
    shown = Shown(bands=("x", "y", "x"), kind="false colour")
    np.testing.assert_allclose(channels(image, grids, shown)[1], [[0, 2, 6, 8]] * 2)


def test_limits_are_those_of_most_chips_not_of_the_brightest_pixels():
    dark = [np.full((1, 8, 8), 100.0) + np.arange(8) for _ in range(19)]
    snow = np.full((1, 8, 8), 9000.0)
    shown = Shown(bands=("x",), kind="grey")
    assert limits_of([*dark, snow], shown).high[0] < 120


def test_a_channel_without_contrast_is_black():
    flat = np.full((3, 4, 4), 7.0)
    limits = limits_of([flat], Shown(bands=("x", "y", "z"), kind="false colour"))
    assert (as_picture(flat, limits) == 0).all()


def test_one_band_is_grey():
    limits = Limits(low=np.zeros(1, np.float32), high=np.full(1, 2, np.float32))
    assert as_picture(np.array([[[0.0, 1.0, 2.0]]]), limits).tolist() == [
        [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    ]


def with_bands(*bands, dtype="uint16"):
    grid = Grid(name="g", bands=tuple(band.name for band in bands), dtype=dtype)
    return replace(radar(), bands=bands, grids=(grid,))


@pytest.mark.parametrize(
    ("bands", "shown"),
    [
        (SENTINEL2_L2A, ("B04", "B03", "B02")),
        (WHU_OHS, ("b13", "b06", "b02")),
        (tuple(replace(b, role="") for b in WHU_OHS), ("b13", "b07", "b02")),
        (tuple(Band(name=f"x{i}") for i in range(5)), ("x0", "x1", "x2")),
        ((Band(name="elevation"), Band(name="slope")), ("elevation",)),
    ],
)
def test_bands_are_chosen_by_role_then_by_wavelength_then_by_order(bands, shown):
    assert shown_bands(with_bands(*bands)).bands == shown


def test_three_bands_of_eight_bits_are_ready_and_others_are_not():
    assert shown_bands(with_bands(*RGB, dtype="uint8")).is_ready
    assert not shown_bands(with_bands(*SENTINEL2_L2A)).is_ready


def test_files_of_other_bands_are_not_opened(shared, tmp_path, monkeypatch):
    from featbank.datasets import _bigearthnet_readers as readers

    opened, read = [], readers.read_tiff
    tell = lambda root, path, layout: (opened.append(path), read(root, path, layout))[1]  # noqa: E731
    data = shared / "data"
    store = featbank.embed(
        "imagestats",
        "bigearthnet-s2",
        data_root=data / "bigearthnet_v1",
        splits=data / "bigearthnet_tables",
        bank=tmp_path,
        workers=0,
    )
    monkeypatch.setattr(readers, "read_tiff", tell)
    ChipPictures(store).thumbnails([str(store.ids[0])], 8)
    assert {path[-7:] for path in opened} == {"B02.tif", "B03.tif", "B04.tif"}


def test_limits_do_not_depend_on_which_chips_are_asked_for(pictures):
    one, other = (pictures(optical(Levels())) for _ in range(2))
    other.rgb(IDS[10:])
    np.testing.assert_array_equal(one.rgb([IDS[3]])[0], other.rgb([IDS[3]])[0])


def test_missing_pixels_are_black_and_settle_no_limits():
    grids = (Grid(name="a", bands=("x",), dtype="float32"),)
    shown = Shown(bands=("x",), kind="grey")
    pixels = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    pixels[0, 0, 0] = -3.4e38
    holed = np.ma.MaskedArray(pixels, mask=pixels < 0)
    drawn = channels({"a": holed}, grids, shown)
    limits = limits_of([drawn], shown)
    assert limits.low[0] >= 1
    assert as_picture(drawn, limits)[0, 0].tolist() == [0, 0, 0]
    assert limits_of([np.full((1, 4, 4), np.nan)], shown).low.tolist() == [0]


def test_missing_bytes_are_black():
    grids = (Grid(name="a", bands=("x",), dtype="uint8"),)
    holed = np.ma.MaskedArray(np.full((1, 2, 2), 9, np.uint8), mask=[[[True, False]] * 2])
    drawn = channels({"a": holed}, grids, Shown(bands=("x",), kind="grey"))
    assert (drawn.dtype, drawn.tolist()) == (np.uint8, [[[0, 9]] * 2])
