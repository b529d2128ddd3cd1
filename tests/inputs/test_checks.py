import numpy as np
import pytest

from featbank.image import Grid
from featbank.inputs.checks import refusal
from featbank.inputs.contract import Contract

RNG = np.random.default_rng(0)


def contract(unit, dtype, **options):
    grid = Grid(name="g", bands=("a", "b"), dtype=dtype)
    return Contract(grids=(grid,), units={"a": unit, "b": unit}, **options)


def chip(low, high, dtype):
    return {"g": RNG.uniform(low, high, (2, 8, 8)).astype(dtype)}


GOOD = [("uint8", "uint8", 0, 255), ("DN", "uint16", 0, 9000), ("dB", "float32", -30, 5)]
GOOD += [("reflectance", "float32", 0, 1), ("unknown", "float32", -1e6, 1e6)]


@pytest.mark.parametrize(("unit", "dtype", "low", "high"), GOOD)
def test_good_chips_pass(unit, dtype, low, high):
    assert refusal(chip(low, high, dtype), contract(unit, dtype)) == ""


def test_nan_is_refused_and_counted():
    image = chip(0, 1, "float32")
    image["g"][0, :3, 0] = np.nan
    assert "3 pixels are NaN" in refusal(image, contract("reflectance", "float32"))


def test_a_constant_chip_is_refused():
    image = {"g": np.full((2, 8, 8), 7, dtype=np.uint8)}
    assert "constant" in refusal(image, contract("uint8", "uint8"))


def test_a_constant_chip_passes_where_the_dataset_expects_it():
    image = {"g": np.full((2, 8, 8), 7, dtype=np.uint8)}
    assert refusal(image, contract("uint8", "uint8", allows_constant=True)) == ""


@pytest.mark.parametrize("place", [(0, 0, 7), (0, 7, 0), (1, 4, 4)])
def test_one_pixel_that_differs_is_enough(place):
    image = {"g": np.full((2, 8, 8), 7, dtype=np.uint8)}
    image["g"][place] = 8
    assert refusal(image, contract("uint8", "uint8")) == ""


def test_one_varying_band_is_enough():
    image = {"g": np.full((2, 8, 8), 7, dtype=np.uint8)}
    image["g"][1, 0, 0] = 8
    assert refusal(image, contract("uint8", "uint8")) == ""


def test_whole_decibels_are_refused():
    image = {"g": np.round(chip(-30, 5, "float32")["g"])}
    assert "whole number where dB is declared" in refusal(image, contract("dB", "float32"))


def test_reflectance_declared_as_dn_is_refused():
    assert "looks like reflectance" in refusal(chip(0, 0.6, "float32"), contract("DN", "float32"))


def test_dn_declared_as_reflectance_is_refused():
    found = refusal(chip(0, 6000, "float32"), contract("reflectance", "float32"))
    assert "looks like DN" in found


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 8), (2, 0, 8)])
def test_a_wrong_shape_is_refused(shape):
    image = {"g": np.zeros(shape, dtype=np.uint8)}
    assert "is declared" in refusal(image, contract("uint8", "uint8"))


def test_a_wrong_dtype_is_refused():
    found = refusal(chip(0, 255, "uint16"), contract("uint8", "uint8"))
    assert found == "dtype uint16 where uint8 is declared"


def test_a_missing_grid_is_refused():
    assert refusal({}, contract("uint8", "uint8")) == "grid 'g' is missing"


@pytest.mark.parametrize(("largest", "is_kept"), [(2**24, True), (2**24 + 1, False)])
def test_whole_numbers_that_float32_skips_are_refused(largest, is_kept):
    grid = Grid(name="g", bands=("a",), dtype="int32")
    pixels = np.array([[[0, 1], [2, -largest]]], dtype=np.int32)
    found = refusal({"g": pixels}, Contract(grids=(grid,), units={"a": "unknown"}))
    assert (found == "") == is_kept
    assert is_kept or f"holds {largest}" in found
