"""Paired differences against a loop over scikit-learn on the same draws; Holm by hand."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, fbeta_score

from featbank.metrics.scoring.paired import Judged, Wanted, difference, holm, paired_values
from featbank.metrics.scoring.resampling import Resampling, drawn_times

N, K, RESAMPLES = 90, 3, 40
GROUPS = np.arange(N) // 4


@pytest.fixture
def single():
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=N)
    good, bad = (rng.dirichlet(np.ones(K), size=N) + s * np.eye(K)[truth] for s in (0.6, 0.3))
    return truth, good, bad


@pytest.fixture
def multi():
    rng = np.random.default_rng(0)
    truth = (rng.uniform(size=(N, K)) < 0.4).astype(np.int8)
    return truth, *(np.round(rng.uniform(size=(N, K)) + s * truth, 2) for s in (0.6, 0.3))


def f2_of(truth, scores):
    return fbeta_score(truth, scores >= 0.6, beta=2, average="macro")


CASES = [
    ("single", "accuracy", None, None, lambda t, s: accuracy_score(t, s.argmax(axis=1))),
    ("multi", "map", "macro", None, average_precision_score),
    ("multi", "map", "micro", None, lambda t, s: average_precision_score(t, s, average="micro")),
    ("multi", "f2", "macro", "0.6", f2_of),
]


@pytest.mark.parametrize("groups", [None, GROUPS])
@pytest.mark.parametrize(("kind", "metric", "average", "threshold", "reference"), CASES)
def test_replicates_equal_a_loop_on_the_same_draws(
    request, kind, metric, average, threshold, reference, groups
):
    truth, *both = request.getfixturevalue(kind)
    wanted = Wanted(metric=metric, average=average, threshold=threshold, absent="left out")
    judged = [Judged(scores=s, limits=np.full(K, 0.6) if threshold else None) for s in both]
    resampling = Resampling(groups=groups, resamples=RESAMPLES, seed=5)
    values, replicates = paired_values(truth, judged, wanted, resampling)
    codes = np.arange(N) if groups is None else groups
    times = drawn_times(codes.max() + 1, first=0, width=RESAMPLES, seed=5)[codes]
    expected = [
        [reference(np.repeat(truth, t, axis=0), np.repeat(s, t, axis=0)) for s in both]
        for t in times.T
    ]
    np.testing.assert_allclose(values, [reference(truth, s) for s in both], rtol=1e-12)
    np.testing.assert_allclose(replicates, expected, rtol=1e-12)


def test_one_group_has_no_replicates(single):
    wanted = Wanted(metric="accuracy", average=None, threshold=None, absent="left out")
    judged = [Judged(scores=s) for s in single[1:]]
    resampling = Resampling(groups=np.zeros(N), resamples=9)
    assert paired_values(single[0], judged, wanted, resampling)[1].shape == (0, 2)


def test_a_difference_has_the_interval_of_the_replicates():
    replicates = np.random.default_rng(0).normal(size=(999, 2)) + np.array([1, 0])
    found = difference(np.array([0.7, 0.2]), replicates, units=10**6)
    expected = np.percentile(replicates[:, 0] - replicates[:, 1], [2.5, 97.5])
    assert found.value == pytest.approx(0.5)
    np.testing.assert_allclose([found.low, found.high], expected, rtol=1e-3)


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ([1, 2, 3, 4], 2 * 1 / 5),
        ([-1, 2, 3, 4], 2 * 2 / 5),
        ([-1, -2, -3, 4], 1),
        ([0, 0, 0, 0], 1),
        ([1, 2, np.nan, 3], 2 * 1 / 4),
    ],
)
def test_a_p_value_counts_the_resamples_beyond_zero(drawn, expected):
    replicates = np.stack([np.array(drawn, float), np.zeros(4)], axis=1)
    found = difference(np.array([1.0, 0.0]), replicates, units=10**9)
    assert found.p == pytest.approx(expected, rel=1e-6)


def test_a_p_value_agrees_with_the_interval():
    rng = np.random.default_rng(0)
    for shift in np.linspace(0, 4, 30):
        drawn = rng.normal(size=(4999, 2)) * [1, 0] + [shift, 0]
        found = difference(np.array([max(shift, 0.01), 0]), drawn, units=7)
        assert (found.p < 0.05) == (found.low > 0) or abs(found.low) < 0.02


def test_without_replicates_there_is_no_p_value():
    assert np.isnan(difference(np.ones(2), np.zeros((0, 2)), units=9).p)


def test_p_values_are_uniform_where_there_is_no_difference():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        pairs = rng.normal(size=(60, 2))
        rows = rng.integers(60, size=(400, 60))
        found.append(difference(pairs.mean(axis=0), pairs[rows].mean(axis=1), units=60).p)
    assert 0.01 < np.mean(np.array(found) < 0.05) < 0.11
    assert 0.4 < np.mean(np.array(found) < 0.5) < 0.6


def test_holm_equals_an_example_by_hand():
    # Sorted .005, .01, .03, .04 times 4, 3, 2, 1: .02, .03, .06, .04, and never falling.
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.06, 0.06, 0.02])


def test_holm_never_exceeds_one():
    assert holm(np.array([0.5, 0.6, 0.9])).tolist() == [1, 1, 1]


def test_holm_does_not_count_what_has_no_p_value():
    np.testing.assert_array_equal(holm(np.array([0.01, np.nan, 0.2])), [0.02, np.nan, 0.2])


def test_holm_of_one_is_itself():
    assert holm(np.array([0.03])).tolist() == [0.03]


@pytest.mark.parametrize(("units", "is_told"), [(4, False), (5, True)])
def test_fewer_than_five_units_tell_of_no_difference(units, is_told):
    replicates = np.random.default_rng(0).normal(size=(99, 2)) + np.array([9, 0])
    found = difference(np.array([0.9, 0.1]), replicates, units=units)
    assert np.isfinite(found.p) == is_told == np.isfinite(found.low)


def test_resamples_that_lean_the_other_way_show_no_difference():
    replicates = np.random.default_rng(0).normal(size=(999, 2)) * 0.01 + np.array([0.5, 0.4])
    assert difference(np.array([0.39, 0.40]), replicates, units=40).p == 1


@pytest.mark.parametrize("units", [5, 7, 10, 20])
def test_the_level_holds_for_few_groups(units):
    """Means of groups: of equal groups Student's t is exact, and this is its bootstrap."""
    rng = np.random.default_rng(1)
    times = rng.multinomial(units, np.full(units, 1 / units), 1999) / units
    gains = rng.normal(size=(1500, units))
    found = [
        difference(np.array([g.mean(), 0]), np.stack([times @ g, np.zeros(1999)], 1), units=units).p
        for g in gains
    ]
    assert 0.03 < np.mean(np.array(found) < 0.05) < 0.075
