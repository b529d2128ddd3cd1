"""Four sensors over one landscape: what they share, and what each of them must look like."""

import numpy as np
import pytest

from featbank.bands import SENTINEL2_L2A, WHU_OHS
from featbank.datasets import DATASETS, DatasetRequest
from featbank.datasets.chip_layout import CHIP_PX, chip_window
from featbank.datasets.synthetic.samples import COVER_SHARE, chip_areas
from featbank.datasets.synthetic_rgb import WHITE_REFLECTANCE, tone
from featbank.landscape.landscape import (
    BROADLEAF,
    CONIFER,
    GREEN_CROP,
    URBAN,
    WATER,
    Landscape,
)
from featbank.landscape.view import BAND_GAIN_STD, NOISE_STD, box_mean

CHIPS = 40
# Looks of IW GRDH (CLS 2016, S1-RS-MDA-52-7440).
LOOKS = 4.4
OTHERS = ("synthetic-s1", "synthetic-rgb", "synthetic-ohs")


def opened(name, chips=CHIPS):
    return DATASETS[name].open(DatasetRequest(chips=chips))


@pytest.fixture(scope="module")
def s2():
    return opened("synthetic-s2")


@pytest.fixture(scope="module")
def s1_chips():
    reader = opened("synthetic-s1").reader
    return np.array([reader.read(index)["10m"] for index in range(CHIPS)])


@pytest.fixture(scope="module")
def covers():
    return np.array([Landscape().cover(chip_window(index)) for index in range(CHIPS)])


@pytest.mark.parametrize("name", OTHERS)
def test_every_sensor_has_the_same_samples(name, s2):
    ours, theirs = opened(name).samples, s2.samples
    assert np.array_equal(ours.ids, theirs.ids)
    assert np.array_equal(ours.group, theirs.group)
    assert np.array_equal(ours.lonlat, theirs.lonlat)
    assert list(ours.labels) == list(theirs.labels) == ["dominant", "cover"]
    for label_set in ours.labels:
        assert np.array_equal(ours.labels[label_set].codes, theirs.labels[label_set].codes)


def test_no_two_sensors_have_the_same_origins(s2):
    origins = [opened(name).samples.origins[0] for name in OTHERS] + [s2.samples.origins[0]]
    assert len(set(origins)) == 4


@pytest.mark.parametrize("name", OTHERS)
def test_chips_have_the_declared_grids(name):
    dataset = opened(name, 4)
    image = dataset.reader.read(3)
    declared = {g.name: ((len(g.bands), *g.size_px), g.dtype) for g in dataset.grids}
    assert {k: (v.shape, v.dtype.name) for k, v in image.items()} == declared


@pytest.mark.parametrize("name", OTHERS)
def test_a_chip_does_not_depend_on_the_number_of_chips(name):
    few, many = opened(name, 3).reader.read(2), opened(name, 30).reader.read(2)
    assert all(np.array_equal(few[grid], many[grid]) for grid in few)


@pytest.mark.parametrize("name", OTHERS)
def test_two_chips_differ(name):
    reader = opened(name, 2).reader
    first, second = reader.read(0), reader.read(1)
    assert all(not np.array_equal(first[grid], second[grid]) for grid in first)


def test_cover_tells_the_classes_of_a_tenth_of_the_chip(s2, covers):
    expected = []
    for cover in covers:
        row = []
        for number in range(10):
            pixels = sum(int(value == number) for value in cover.ravel().tolist())
            row.append(int(pixels >= COVER_SHARE * len(cover) ** 2))
        expected.append(row)
    codes = s2.samples.labels["cover"].codes
    assert codes.dtype == np.int8
    assert codes.tolist() == expected


def test_dominant_stays_the_default_label_set(s2):
    assert next(iter(s2.samples.labels)) == "dominant"
    assert s2.samples.labels["cover"].is_multilabel


def test_areas_of_a_chip_add_up_to_the_chip():
    assert set(chip_areas(Landscape(), 20).sum(axis=1).tolist()) == {CHIP_PX**2}


def test_vv_stands_5_to_8_db_above_vh(s1_chips):
    vv, vh = s1_chips.mean(axis=(0, 2, 3))
    assert 5 < vv - vh < 8


def test_backscatter_is_in_the_range_of_decibels(s1_chips):
    assert s1_chips.min() > -40
    assert s1_chips.max() < 20
    assert -16 < np.median(s1_chips[:, 0]) < -8


def test_backscatter_is_not_rounded(s1_chips):
    assert len(np.unique(s1_chips[0])) > 0.95 * s1_chips[0].size


@pytest.mark.parametrize("polarisation", [0, 1])
def test_water_is_darker_than_forest(s1_chips, covers, polarisation):
    image = s1_chips[:, polarisation]
    forest = image[(covers == CONIFER) | (covers == BROADLEAF)]
    assert image[covers == WATER].mean() + 5 < forest.mean()


def test_towns_are_brighter_than_forest_in_vv(s1_chips, covers):
    vv = s1_chips[:, 0]
    forest = vv[(covers == CONIFER) | (covers == BROADLEAF)]
    assert vv[covers == URBAN].mean() > forest.mean() + 1


def homogeneous_windows(covers, class_number, side=10):
    """(chip, row, column) of all windows on a grid that one class fills."""
    for chip, cover in enumerate(covers):
        for row in range(0, CHIP_PX - side, side):
            for column in range(0, CHIP_PX - side, side):
                if (cover[row : row + side, column : column + side] == class_number).all():
                    yield chip, slice(row, row + side), slice(column, column + side)


@pytest.mark.parametrize("polarisation", [0, 1])
def test_speckle_over_water_has_the_looks_of_grd(s1_chips, covers, polarisation):
    # Medians over windows keep ponds' shores and buoys out.
    power = 10 ** (s1_chips[:, polarisation].astype(float) / 10)
    spread = [
        power[place].std(ddof=1) / power[place].mean()
        for place in homogeneous_windows(covers, WATER)
    ]
    assert len(spread) > 50
    assert np.median(spread) == pytest.approx(LOOKS**-0.5, rel=0.08)


def test_speckle_of_the_two_polarisations_is_independent(s1_chips, covers):
    related = [
        np.corrcoef(s1_chips[chip, :, rows, columns].reshape(2, -1))[0, 1]
        for chip, rows, columns in homogeneous_windows(covers, WATER)
    ]
    assert abs(np.mean(related)) < 0.1


@pytest.fixture(scope="module")
def rgb_chips():
    reader = opened("synthetic-rgb").reader
    return np.array([reader.read(index)["rgb"] for index in range(CHIPS)]).astype(float)


def test_fields_are_greener_than_water(rgb_chips, covers):
    excess = rgb_chips[:, 1] - rgb_chips[:, [0, 2]].mean(axis=1)
    assert excess[covers == GREEN_CROP].mean() > excess[covers == WATER].mean() + 10


def test_water_is_bluer_than_it_is_red(rgb_chips, covers):
    assert rgb_chips[:, 2][covers == WATER].mean() > rgb_chips[:, 0][covers == WATER].mean()


def test_pictures_use_the_range_of_eight_bits(rgb_chips):
    low, middle, high = np.quantile(rgb_chips, [0.001, 0.5, 0.999])
    assert low < 60 < middle < 160 < high


def test_the_tone_curve_is_a_square_root_that_ends_in_white():
    white = round(WHITE_REFLECTANCE * 10_000)
    numbers = np.array([0, white // 4, white, 60_000], dtype=np.uint16)
    assert tone(numbers).tolist() == [0, 127, 255, 255]


def test_ohs_and_sentinel2_see_one_spectrum(s2):
    # 560 nm stands between two bands of OHS; the chip's light is the same, each band's own
    # calibration and noise is not.
    reader = opened("synthetic-ohs").reader
    for index in range(0, CHIPS, 5):
        green = s2.reader.read(index)["10m"][1].astype(float)
        ohs = reader.read(index)["10m"][[5, 6]].astype(float).mean(axis=0)
        assert np.median(ohs / green) == pytest.approx(1, abs=5 * BAND_GAIN_STD)
        rest = green - np.polyval(np.polyfit(ohs.ravel(), green.ravel(), 1), ohs)
        assert np.std(rest) < 2 * NOISE_STD * 1e4


def test_ohs_and_sentinel2_agree_in_the_near_infrared(s2):
    names = [band.name for band in SENTINEL2_L2A if band.gsd_m == 20]
    reader = opened("synthetic-ohs").reader
    at_866 = [round(band.wavelength_um * 1000) for band in WHU_OHS].index(866)
    for index in range(0, CHIPS, 5):
        near = s2.reader.read(index)["20m"][names.index("B8A")].astype(float)
        ohs = box_mean(reader.read(index)["10m"][at_866][None].astype(np.float32), 2)[0]
        assert np.median(ohs / near) == pytest.approx(1, abs=5 * BAND_GAIN_STD)
        assert np.corrcoef(ohs.ravel(), near.ravel())[0, 1] > 0.995
