import numpy as np
import pytest

from featbank.bands import SENTINEL2_L2A, WHU_OHS
from featbank.landscape.landscape import Landscape, dominant_class
from featbank.landscape.noise import (
    Window,
    bell,
    bell_pairs,
    derive_key,
    fractal_noise,
    hash_words,
    uniform,
)
from featbank.landscape.signatures import ANCHORS_UM, CLASSES, MATERIALS, sample_spectra
from featbank.landscape.view import box_mean, pixel_statistics

WIDE = Window(row=-70, column=330, height=90, width=150)
PART = Window(row=-33, column=371, height=40, width=55)
INSIDE = (..., slice(37, 77), slice(41, 96))
WEIGHTS = np.array([[1.0, 0.5, 0.25]], dtype=np.float32)


def slow_spline(key, spacing, y, x):
    """Value noise at one point, straight from the definition of the cubic B-spline."""

    def kernel(t):
        t = abs(t)
        return (4 - 6 * t**2 + 3 * t**3) / 6 if t < 1 else max(2 - t, 0) ** 3 / 6

    total = 0.0
    for i in range(int(y // spacing) - 2, int(y // spacing) + 4):
        for j in range(int(x // spacing) - 2, int(x // spacing) + 4):
            node = uniform(hash_words([key], np.array([i]), np.array([j])))[0, 0, 0] - 0.5
            total += node * kernel(y / spacing - i) * kernel(x / spacing - j)
    return total / ((1 / 12) ** 0.5 * 151 / 315)


def test_noise_in_a_window_equals_noise_in_a_larger_one():
    wide = fractal_noise([3], WIDE, finest_px=7, weights=WEIGHTS)
    part = fractal_noise([3], PART, finest_px=7, weights=WEIGHTS)
    np.testing.assert_array_equal(part, wide[INSIDE])


@pytest.mark.parametrize("octave", [0, 1, 2])
@pytest.mark.parametrize("place", [(0, 0), (39, 54), (13, 29), (39, 2)])
def test_refined_lattices_equal_direct_interpolation(octave, place):
    weights = np.eye(3, dtype=np.float32)[octave : octave + 1]
    field = fractal_noise([3], PART, finest_px=7, weights=weights)[0]
    y, x = PART.row + place[0] + 0.5, PART.column + place[1] + 0.5
    direct = slow_spline(derive_key(3, octave), 7 * 2 ** (2 - octave), y, x)
    assert field[place] == pytest.approx(direct, abs=1e-5)


def test_smooth_noise_has_mean_zero_and_variance_one():
    square = Window(row=0, column=0, height=1500, width=1500)
    field = fractal_noise([9], square, finest_px=4, weights=WEIGHTS)
    assert (field.mean(), field.std()) == pytest.approx((0, 1), abs=0.05)


def test_bell_has_mean_zero_and_variance_one():
    values = bell(hash_words([1], np.arange(400), np.arange(400)))
    assert (values.mean(), values.std()) == pytest.approx((0, 1), abs=0.01)


def test_bell_pairs_have_mean_zero_and_variance_one():
    values = bell_pairs(hash_words([1], np.arange(400), np.arange(200))[0])
    assert (values.mean(), values.std()) == pytest.approx((0, 1), abs=0.01)


def test_the_two_numbers_of_a_pair_are_uncorrelated():
    values = bell_pairs(hash_words([1], np.arange(400), np.arange(200))[0])
    assert abs(np.corrcoef(values[:, ::2].ravel(), values[:, 1::2].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("step", [(0, 1), (1, 0), (1, 1)])
def test_hashes_of_neighbours_are_uncorrelated(step):
    values = uniform(hash_words([5], np.arange(300), np.arange(300)))[0]
    moved = np.roll(values, step, axis=(0, 1))
    assert abs(np.corrcoef(values.ravel(), moved.ravel())[0, 1]) < 0.02


def test_keys_give_independent_fields():
    values = uniform(hash_words([5, 6], np.arange(300), np.arange(300)))
    assert abs(np.corrcoef(values[0].ravel(), values[1].ravel())[0, 1]) < 0.02


def test_cover_in_a_window_equals_cover_in_a_larger_one():
    np.testing.assert_array_equal(Landscape().cover(PART), Landscape().cover(WIDE)[INSIDE])


def test_cover_alone_equals_the_grounds_cover():
    np.testing.assert_array_equal(Landscape().cover(PART), Landscape().ground(PART).cover)


def test_reflectance_in_a_window_equals_reflectance_in_a_larger_one():
    land = Landscape()
    wide = land.reflectance(land.ground(WIDE), SENTINEL2_L2A)
    part = land.reflectance(land.ground(PART), SENTINEL2_L2A)
    np.testing.assert_array_equal(part, wide[INSIDE])


def test_another_seed_gives_another_landscape():
    assert np.mean(Landscape(seed=0).cover(WIDE) == Landscape(seed=1).cover(WIDE)) < 0.5


def test_reflectance_stays_physical():
    land = Landscape()
    image = land.reflectance(land.ground(WIDE), SENTINEL2_L2A)
    assert image.min() > 0
    assert image.max() <= 1


def test_a_sensor_of_32_bands_sees_the_same_ground():
    land = Landscape()
    assert land.reflectance(land.ground(PART), WHU_OHS).shape == (32, 40, 55)


def test_plots_leave_the_cover_map_alone():
    land = Landscape()
    ground = land.ground(WIDE)
    surface = land.surface(ground)
    is_class = surface < len(CLASSES)
    assert np.array_equal(surface[is_class], ground.cover[is_class])


def test_every_spectrum_has_a_value_at_every_anchor():
    spectra = [cover.reflectance for cover in CLASSES] + [m.reflectance for m in MATERIALS]
    assert {len(spectrum) for spectrum in spectra} == {len(ANCHORS_UM)}


def test_a_flat_spectrum_is_flat_for_every_sensor():
    flat = [[0.3] * len(ANCHORS_UM)]
    np.testing.assert_allclose(sample_spectra(flat, SENTINEL2_L2A), 0.3, rtol=1e-6)


def test_dominant_class_is_the_one_with_the_largest_area():
    assert dominant_class(np.array([[2, 2, 7], [7, 7, 0]], dtype=np.uint8)) == 7


def test_box_mean_equals_the_mean_of_each_box():
    image = np.random.default_rng(0).random((2, 12, 18)).astype(np.float32)
    boxes = image.reshape(2, 2, 6, 3, 6).mean(axis=(2, 4))
    np.testing.assert_allclose(box_mean(image, 6), boxes, rtol=1e-5)


def test_pixel_covariances_are_positive_definite():
    _, covariance = pixel_statistics(SENTINEL2_L2A)
    assert np.linalg.eigvalsh(covariance).min() > 0
