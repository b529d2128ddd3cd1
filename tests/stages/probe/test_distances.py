from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from placed_store import N, make_placed_store, placed_samples
from pyproj import Geod

from featbank.bank.bank import Bank
from featbank.bank.results import read_results
from featbank.errors import ProbeError, UsageError
from featbank.pages.result_table import print_results
from featbank.stages.probe.distances import Distances, distances_to, nearest_m
from featbank.stages.probe.options import require_numbers
from featbank.stages.probe.run import ProbeOptions, probe_store
from featbank.store.reader import Store

WGS84 = Geod(ellps="WGS84")


def every_distance(lonlat, rows, others):
    """(n, m) geodesic metres between all pairs, by pyproj alone."""
    return np.array([
        [WGS84.inv(*lonlat[a], *lonlat[b])[2] for b in others] for a in rows
    ])  # fmt: skip


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.001, 0.5, 30.0]),
       st.sampled_from([(8, 48), (180, 5), (-180, -70), (0, 89.99), (50, -89.9)]))  # fmt: skip
def test_the_nearest_is_that_of_all_pairs(seed, spread, around):
    """Over the antimeridian and the poles too."""
    rng = np.random.default_rng(seed)
    lonlat = np.asarray(around) + rng.uniform(-spread, spread, (24, 2))
    lonlat[:, 0] = (lonlat[:, 0] + 180) % 360 - 180
    lonlat[:, 1] = np.clip(lonlat[:, 1], -90, 90)
    rows, others = np.arange(8), np.arange(8, 24)
    expected = every_distance(lonlat, rows, others).min(axis=1)
    np.testing.assert_allclose(nearest_m(lonlat, rows, others), expected, rtol=1e-3, atol=1e-6)


def test_least_and_median_are_over_test_samples():
    lonlat = np.array([[0, 0], [0.01, 0], [0.5, 0], [2.0, 0]])
    found = distances_to(lonlat, np.array([1, 2, 3]), np.array([0]))
    metres = [WGS84.inv(0, 0, lon, 0)[2] for lon in (0.01, 0.5)]
    np.testing.assert_allclose([found.smallest_m, found.median_m], metres)


def test_samples_without_a_place_are_left_out():
    lonlat = np.array([[0, 0], [np.nan, np.nan], [0.5, 0], [0.1, np.nan]])
    found = distances_to(lonlat, np.array([1, 2]), np.array([0, 3]))
    assert found.smallest_m == pytest.approx(WGS84.inv(0, 0, 0.5, 0)[2])


@pytest.mark.parametrize("lonlat", [None, np.full((4, 2), np.nan)])
def test_without_places_nothing_is_said(lonlat):
    assert distances_to(lonlat, np.array([1]), np.array([0])) == Distances()


def test_tens_of_thousands_have_an_answer_each():
    """A tenth of what a whole archive asks for."""
    rng = np.random.default_rng(0)
    lonlat = rng.uniform((-180, -60), (180, 75), (37_000, 2))
    found = nearest_m(lonlat, np.arange(27_000), np.arange(27_000, 37_000))
    assert np.isfinite(found).all()


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    root = tmp_path_factory.mktemp("bank")
    make_placed_store(root / "stores" / "made" / "tiny-1.zarr")
    return root


def run(bank, **options):
    options = {"clf": "logistic", "resamples": 0} | options
    return probe_store(ProbeOptions(store=bank / "stores/made/tiny-1.zarr", bank=bank, **options))


def fitted_and_test(bank, scheme):
    split = Store(bank / "stores/made/tiny-1.zarr").split(scheme)
    return np.flatnonzero(np.isin(split, ["train", "val"])), np.flatnonzero(split == "test")


def test_every_row_of_a_result_bears_the_distances(bank):
    lonlat = placed_samples().lonlat
    fitted, test = fitted_and_test(bank, "random-0")
    nearest = every_distance(lonlat, test, fitted).min(axis=1)
    for row in run(bank).results:
        assert row.distance_min_m == pytest.approx(nearest.min(), rel=1e-6)
        assert row.distance_median_m == pytest.approx(np.median(nearest), rel=1e-6)
        assert row.buffer_m is None


def test_the_results_table_keeps_them(bank):
    run(bank)
    frame = read_results(Bank(bank))
    assert (frame["distance_min_m"] > 0).all()


def test_few_shots_bear_the_smallest_of_all_draws(bank):
    report = run(bank, clf="knn", shots=(2,), tries=3, params={"k": 1})
    assert report.results[0].distance_min_m >= run(bank).results[0].distance_min_m


def test_the_terminal_shows_them(bank, capsys):
    print_results(run(bank).results)
    assert "from what was fitted on (median" in " ".join(capsys.readouterr().out.split())


def test_a_buffer_drops_what_is_nearer(bank):
    lonlat = placed_samples().lonlat
    fitted, test = fitted_and_test(bank, "random-0")
    far = every_distance(lonlat, fitted, test).min(axis=1) >= 2500
    head = run(bank, buffer=2500.0).results[0]
    assert head.n_train == far.sum() < len(fitted)
    assert head.distance_min_m >= 2500
    assert head.buffer_m == 2500
    assert "within 2500 m of a test sample are dropped" in head.note


def test_a_buffer_is_another_result(bank):
    assert len({run(bank, buffer=size).results[0].result for size in (None, 2500.0, 3500.0)}) == 3


def test_test_samples_stay_the_same_under_a_buffer(bank):
    assert run(bank, buffer=2500.0).results[0].n == run(bank).results[0].n


def test_a_buffer_that_leaves_nothing_is_refused(bank):
    with pytest.raises(ProbeError, match=r"--buffer 1e\+06: all \d+ train samples"):
        run(bank, buffer=1e6)


@pytest.mark.parametrize("size", [0.0, -5.0, float("nan"), float("inf")])
def test_a_buffer_that_is_no_distance_is_refused(bank, size):
    with pytest.raises(UsageError, match="--buffer .*: out of range; expected metres, more than 0"):
        require_numbers(ProbeOptions(clf="knn", buffer=size))


def test_a_buffer_without_places_is_refused(tmp_path):
    samples = placed_samples(lonlat=None, bbox=None, crs=None)
    make_placed_store(tmp_path / "stores/made/tiny-1.zarr", samples)
    with pytest.raises(ProbeError, match="places of .* test samples in .* are unknown"):
        run(tmp_path, buffer=100.0)


def test_samples_without_a_place_are_no_nearer_than_known(tmp_path):
    """Nobody can say how near they lie, so a buffer drops them."""
    samples = placed_samples()
    fitted = np.flatnonzero(samples.splits["random-0"] == 0)[:3]
    lonlat = samples.lonlat.copy()
    lonlat[fitted] = np.nan
    make_placed_store(tmp_path / "stores/made/tiny-1.zarr", replace(samples, lonlat=lonlat))
    all_of_it, without = (run(tmp_path, buffer=size).results[0].n_train for size in (None, 1.0))
    assert all_of_it - without == 3


def test_the_store_gives_places_back(bank):
    store, samples = Store(bank / "stores/made/tiny-1.zarr"), placed_samples()
    np.testing.assert_array_equal(store.lonlat, samples.lonlat)
    np.testing.assert_array_equal(store.bbox, samples.bbox)
    assert store.crs.tolist() == samples.crs.tolist() == ["EPSG:32632"] * N
    assert {"crs", "min_x", "max_y", "longitude"} <= set(store.to_pandas().columns)
    assert store.to_xarray()["bbox"].shape == (N, 4)
