import pytest

from featbank.bands import NAIP, RGB, SENTINEL1, SENTINEL2, SENTINEL2_L2A, WHU_OHS, select_bands
from featbank.errors import ContractError, UnknownNameError

SENSORS = {"s1": SENTINEL1, "s2": SENTINEL2, "rgb": RGB, "naip": NAIP, "ohs": WHU_OHS}


@pytest.mark.parametrize("bands", SENSORS.values(), ids=SENSORS)
def test_names_are_unique(bands):
    assert len({band.name for band in bands}) == len(bands)


@pytest.mark.parametrize("bands", [SENTINEL2, WHU_OHS, NAIP], ids=["s2", "ohs", "naip"])
def test_optical_wavelengths_are_micrometres(bands):
    assert all(0.4 < band.wavelength_um < 2.5 for band in bands)


def test_ohs_has_32_bands_in_rising_order():
    wavelengths = [band.wavelength_um for band in WHU_OHS]
    assert (len(wavelengths), wavelengths) == (32, sorted(wavelengths))


def test_level_2a_has_no_cirrus_band():
    assert "B10" not in {band.name for band in SENTINEL2_L2A}


def test_rgb_is_red_green_blue_in_that_order():
    chosen = select_bands(SENTINEL2, "rgb", subject="s2")
    assert [band.name for band in chosen] == ["B04", "B03", "B02"]


def test_names_keep_the_order_asked_for():
    chosen = select_bands(SENTINEL2, "B8A, B02", subject="s2")
    assert [band.name for band in chosen] == ["B8A", "B02"]


def test_a_band_that_is_not_there_is_suggested():
    with pytest.raises(UnknownNameError, match="Did you mean 'B04'"):
        select_bands(SENTINEL2, "B4", subject="s2")


def test_rgb_of_radar_is_refused():
    with pytest.raises(ContractError, match="no red, green, blue band among VV, VH"):
        select_bands(SENTINEL1, "rgb", subject="s1")
