import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from featbank.landscape.decibel import to_decibel, to_power
from featbank.landscape.landscape import BARE_SOIL, TERRAIN, WATER, Landscape
from featbank.landscape.noise import Window
from featbank.landscape.radar import backscatter, radar_look
from featbank.landscape.radar_signatures import RADAR_CLASSES, amplitudes, levels
from featbank.landscape.signatures import CLASS_NAMES, MATERIALS
from featbank.landscape.speckle import blur, speckle

# Looks of IW GRDH (CLS 2016, S1-RS-MDA-52-7440).
LOOKS = 4.4
STRONGEST_DB = 10
WIDE = Window(row=-70, column=330, height=90, width=150)
PART = Window(row=-33, column=371, height=40, width=56)
INSIDE = (..., slice(37, 75), slice(41, 95))


@given(st.floats(-60, 60, width=32))
def test_decibels_become_the_power_they_mean(decibels):
    assert to_power(np.array([decibels], dtype=np.float32))[0] == pytest.approx(
        10 ** (decibels / 10), rel=2e-6
    )


@given(st.floats(2.0**-20, 2.0**20, width=32))
def test_powers_become_the_decibels_they_are(power):
    found = to_decibel(np.array([power], dtype=np.float32))[0]
    assert found == pytest.approx(10 * np.log10(power), abs=2e-5)


def test_speckle_has_mean_one_and_the_looks_of_grd():
    factor = speckle(5, 1, 800, 800)
    assert factor.mean() == pytest.approx(1, abs=0.01)
    assert 1 / factor.var() == pytest.approx(LOOKS, rel=0.03)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_speckle_has_the_gamma_distribution(share):
    expected = stats.gamma.ppf(share, LOOKS, scale=1 / LOOKS)
    assert np.quantile(speckle(5, 1, 800, 800), share) == pytest.approx(expected, rel=0.04)


def test_speckle_of_neighbours_is_correlated_by_half():
    factor = speckle(5, 1, 800, 800)[0]
    assert np.corrcoef(factor[:, 1:].ravel(), factor[:, :-1].ravel())[0, 1] == pytest.approx(
        0.48, abs=0.03
    )
    assert abs(np.corrcoef(factor[:, 4:].ravel(), factor[:, :-4].ravel())[0, 1]) < 0.02


def test_fields_of_speckle_are_independent():
    first, second = speckle(5, 2, 500, 500)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02


def test_blurring_keeps_the_mean_of_what_is_flat():
    np.testing.assert_allclose(blur(np.full((2, 9, 8), 3, dtype=np.float32)), 3, rtol=1e-6)


def test_blurring_is_the_product_of_two_short_filters():
    image = np.random.default_rng(0).random((6, 7)).astype(np.float32)
    taps = np.array([0.18, 0.64, 0.18])
    slow = np.zeros((4, 5))
    for row in range(4):
        for column in range(5):
            slow[row, column] = taps @ image[row : row + 3, column : column + 3] @ taps
    np.testing.assert_allclose(blur(image), slow, rtol=1e-5)


def test_backscatter_in_a_window_equals_backscatter_in_a_larger_one():
    land, look = Landscape(), radar_look(7)
    wide = backscatter(land, land.ground(WIDE), look)
    part = backscatter(land, land.ground(PART), look)
    np.testing.assert_array_equal(part, wide[INSIDE])


def change(window, class_number, **edits):
    """Mean change of a class's backscatter once some of the look is replaced."""
    land = Landscape()
    ground, look = land.ground(window), radar_look(7)
    before = backscatter(land, ground, look)
    after = backscatter(land, ground, dataclasses.replace(look, **edits))
    return (after - before)[:, ground.cover[1:-1, 1:-1] == class_number]


LARGE = Window(row=0, column=0, height=480, width=480)


def test_wet_soil_sends_back_more():
    wetter = np.float32(radar_look(7).moisture + 1)
    assert (change(LARGE, BARE_SOIL, moisture=wetter) > 0.5).all()


def test_wind_brightens_water_alone():
    windier = np.float32(radar_look(7).wind + 1)
    assert (change(LARGE, WATER, wind=windier) > 1).all()
    np.testing.assert_array_equal(change(LARGE, BARE_SOIL, wind=windier), 0)


def test_water_darkens_towards_grazing_incidence():
    flatter = np.float32(radar_look(7).incidence_deg + 5)
    assert (change(LARGE, WATER, incidence_deg=flatter) < -1).all()


def test_slopes_are_brighter_on_the_side_of_the_radar():
    land = Landscape()
    ground, look = land.ground(LARGE), radar_look(7)
    east, west = (
        backscatter(land, ground, dataclasses.replace(look, side=side))[0] for side in (1, -1)
    )
    rise = (ground.fields[TERRAIN][:, 2:] - ground.fields[TERRAIN][:, :-2])[1:-1]
    is_level_on_top = ground.cover[1:-1, 2:] == ground.cover[1:-1, :-2]
    is_slope = is_level_on_top & (rise > 0.1) & (east < STRONGEST_DB)
    assert (east - west)[is_slope].min() > 0.5


def test_every_class_and_material_has_its_echo():
    assert [item.name for item in RADAR_CLASSES] == list(CLASS_NAMES)
    assert levels().shape == (2, len(CLASS_NAMES) + len(MATERIALS))


def test_vv_exceeds_vh_for_everything():
    assert (levels()[0] - levels()[1]).min() > 4


def test_amplitudes_without_polarisation_are_the_same_for_both():
    vv, vh = amplitudes("tone")
    np.testing.assert_array_equal(vv, vh)


def test_nothing_sends_back_more_than_10_db():
    land = Landscape()
    image = backscatter(land, land.ground(LARGE), radar_look(7))
    assert 5 < image.max() <= STRONGEST_DB
