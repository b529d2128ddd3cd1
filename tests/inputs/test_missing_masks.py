import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featbank.image import Grid
from featbank.inputs.checks import refusal
from featbank.inputs.contract import Contract
from featbank.inputs.missing import (
    absent_bands,
    mark_missing,
    missing_shares,
    stacked_masks,
    valid_mask,
)
from featbank.inputs.reading import as_batch, read_batch

FINE = Grid(name="fine", bands=("a", "b"), dtype="float32")
COARSE = Grid(name="coarse", bands=("c",), dtype="float32")


def contract(unit="unknown", grids=(FINE,), **options):
    bands = [band for grid in grids for band in grid.bands]
    return Contract(grids=grids, units=dict.fromkeys(bands, unit), **options)


def ramp(bands=2, side=4):
    return np.arange(1.0, 1 + bands * side * side, dtype=np.float32).reshape(bands, side, side)


def masked(pixels, *spots):
    mask = np.zeros(pixels.shape, dtype=bool)
    for spot in spots:
        mask[spot] = True
    return np.ma.MaskedArray(pixels, mask)


@pytest.mark.parametrize(("unit", "value"), [("linear", 0), ("amplitude", 0), ("dB", -np.inf)])
def test_radar_without_signal_is_missing(unit, value):
    pixels = ramp() + np.float32(0.25)
    pixels[1, 2, 3] = value
    found = mark_missing({"fine": pixels}, contract(unit))["fine"]
    assert np.argwhere(found.mask).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("unit", ["uint8", "DN", "reflectance", "unknown"])
def test_zero_is_a_value_of_other_units(unit):
    pixels = ramp()
    pixels[0, 0, 0] = 0
    assert not isinstance(mark_missing({"fine": pixels}, contract(unit))["fine"], np.ma.MaskedArray)


def test_zero_decibels_is_a_value():
    pixels = ramp() + np.float32(0.25)
    pixels[0, 0, 0] = 0
    assert missing_shares(mark_missing({"fine": pixels}, contract("dB")), contract("dB")) is None


def test_shares_are_of_any_band_and_of_each():
    image = {"fine": masked(ramp(), (0, 0), (1, slice(None), 0))}
    # Row 0 of band a and column 0 of band b: 4 + 4 - 1 of 16 pixels.
    assert missing_shares(image, contract()).tolist() == [7 / 16, 4 / 16, 4 / 16]


def test_shares_of_several_grids_are_counted_on_the_finest():
    image = {"fine": ramp(), "coarse": masked(ramp(1, 2), (0, 0, 1))}
    both = contract(grids=(FINE, COARSE))
    assert missing_shares(image, both).tolist() == [4 / 16, 0, 0, 1 / 4]


def test_an_absent_band_does_not_count_among_the_others():
    image = {"fine": masked(ramp(), (0,), (1, 0, 0))}
    assert missing_shares(image, contract()).tolist() == [1 / 16, 1, 1 / 16]
    assert absent_bands(image, contract()) == ("a",)


def test_a_chip_without_a_band_is_refused_by_its_name():
    assert refusal({"fine": masked(ramp(), (0,))}, contract()) == (
        "every pixel of band a is missing"
    )


def test_a_chip_without_a_band_is_kept_where_bands_may_be_dropped():
    assert refusal({"fine": masked(ramp(), (0,))}, contract(may_drop_bands=True)) == ""


def test_a_chip_without_any_pixel_is_refused():
    chip = {"fine": masked(ramp(), (slice(None),))}
    assert refusal(chip, contract(may_drop_bands=True)) == "every pixel is missing"


@pytest.mark.parametrize(("rows", "reason"), [(2, ""), (3, "75 % of its pixels are missing")])
def test_a_chip_that_misses_too_much_is_refused(rows, reason):
    chip = {"fine": masked(ramp(), (0, slice(0, rows)))}
    assert refusal(chip, contract()).startswith(reason)
    assert bool(refusal(chip, contract())) == bool(reason)


def test_values_under_the_mask_are_not_judged():
    pixels = ramp()
    pixels[0, 0, 0] = np.nan
    assert refusal({"fine": masked(pixels, (0, 0, 0))}, contract()) == ""
    assert "NaN" in refusal({"fine": masked(pixels, (0, 0, 1))}, contract())


def test_a_chip_constant_but_for_its_filling_is_constant():
    pixels = np.full((2, 4, 4), 5, dtype=np.float32)
    pixels[:, 0] = -9999
    assert refusal({"fine": masked(pixels, (slice(None), 0))}, contract()) == (
        "every band is constant"
    )


def test_one_plane_stands_for_bands_that_miss_the_same_pixels():
    alike = [{"fine": masked(ramp(), (slice(None), 0))}, {"fine": ramp()}]
    assert stacked_masks(alike, "fine").shape == (2, 1, 4, 4)
    other = [*alike, {"fine": masked(ramp(), (0, 1))}]
    assert stacked_masks(other, "fine").shape == (3, 2, 4, 4)


class Radar:
    """Chip i misses i of its 16 pixels."""

    def read(self, index):
        pixels = ramp() + np.float32(0.25)
        pixels.reshape(2, -1)[:, :index] = -np.inf
        return {"fine": pixels}


@given(st.lists(st.integers(0, 8), min_size=1, max_size=6))
def test_a_batch_tells_what_each_of_its_chips_misses(rows):
    batch = read_batch(Radar(), rows, contract("dB"))
    found = [float(batch.shares.get(at, np.zeros(3))[0]) for at in range(len(rows))]
    assert found == [row / 16 for row in rows]
    for group in batch.groups:
        valid = valid_mask(group.planes, "fine")
        counts = [32] * len(group.rows) if valid is None else valid.sum(axis=(1, 2, 3)).tolist()
        assert counts == [32 - 2 * rows[at] for at in group.rows]


def test_chips_without_a_band_stand_in_a_group_of_their_own():
    chips = [{"fine": ramp()}, {"fine": masked(ramp(), (0,))}, {"fine": ramp()}]
    groups = as_batch(chips, contract(may_drop_bands=True)).groups
    assert [(group.rows.tolist(), group.absent) for group in groups] == [
        ([0, 2], ()),
        ([1], ("a",)),
    ]
