"""Intervals: Wilson's against SciPy's, bounds that are never false certainty, and coverage."""

import numpy as np
import pytest
from scipy import stats

from featbank.metrics import METRICS
from featbank.metrics.scoring import resampling
from featbank.metrics.scoring.intervals import grouped_interval, jackknife, wilson
from featbank.metrics.scoring.multilabel_scoring import score_multilabel
from featbank.metrics.scoring.resampling import Resampling, drawn_times, each_left_out
from featbank.metrics.scoring.scoring import score
from tests.benchmarks.grouped_draws import accuracy_draw, accuracy_left_out

K = 3


def single(truth, predicted, groups=None, **options):
    return score(truth, np.eye(K)[predicted], resampling=Resampling(groups=groups, **options))


def row(rows, metric, class_index=None, average=None):
    wanted = (metric, class_index, average)
    return next(r for r in rows if (r.metric, r.class_index, r.average) == wanted)


@pytest.mark.parametrize(("right", "n"), [(0, 8), (1, 8), (8, 8), (57, 60), (1, 1000)])
def test_wilson_equals_scipy(right, n):
    low, high = wilson(np.array([right / n]), np.array([float(n)]), np.array([np.inf]))
    expected = stats.binomtest(right, n).proportion_ci(method="wilson")
    np.testing.assert_allclose([low[0], high[0]], [expected.low, expected.high], atol=1e-12)


@pytest.mark.parametrize(
    ("metric", "class_index", "right", "n"),
    [
        ("accuracy", None, 8, 11),
        ("recall", 0, 3, 4),
        ("precision", 1, 3, 5),
        ("specificity", 2, 8, 8),
    ],
)
def test_proportions_of_samples_have_their_plain_interval(metric, class_index, right, n):
    truth = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2])
    predicted = np.array([0, 0, 0, 1, 1, 1, 1, 0, 2, 2, 1])
    found = row(single(truth, predicted), metric, class_index)
    expected = stats.binomtest(right, n).proportion_ci(method="wilson")
    np.testing.assert_allclose([found.low, found.high], [expected.low, expected.high], atol=1e-12)


def test_all_right_in_every_group_is_worth_one_sample_a_group():
    truth = np.tile([0, 1, 2], 40)
    found = row(single(truth, truth, np.repeat(np.arange(12), 10)), "accuracy")
    t = stats.t.ppf(0.975, 11)
    np.testing.assert_allclose([found.low, found.high], [12 / (12 + t**2), 1.0], rtol=1e-12)


@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("wrong", [True, False])
def test_no_bounded_metric_is_certain_of_itself(grouped, wrong):
    truth = np.tile([0, 1, 2], 40)
    groups = np.repeat(np.arange(12), 10) if grouped else None
    rows = single(truth, (truth + 1) % K if wrong else truth, groups)
    kept = [r for r in rows if r.low is not None and r.value in (METRICS[r.metric].bounds or ())]
    assert len({r.metric for r in kept}) >= 6
    assert min(r.high - r.low for r in kept) > 0.005


@pytest.mark.parametrize("grouped", [True, False])
def test_no_multilabel_metric_is_certain_of_itself(grouped):
    truth = np.tile(np.eye(K, dtype=np.int8), (40, 1))
    groups = np.repeat(np.arange(12), 10) if grouped else None
    limits = {"0.5": np.full(K, 0.5)}
    rows = score_multilabel(
        truth, truth * 1.0, thresholds=limits, resampling=Resampling(groups=groups)
    )
    kept = [r for r in rows if r.low is not None and not str(r.threshold).startswith("all")]
    assert {r.metric for r in kept} >= {"map", "f1", "f2", "hamming_loss"}
    assert min(r.high - r.low for r in kept) > 0.005


def test_intervals_stay_within_the_bounds_of_their_metric():
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=60)
    predicted = np.where(rng.uniform(size=60) < 0.97, truth, (truth + 1) % K)
    for found in single(truth, predicted, np.repeat(np.arange(6), 10)):
        least, most = METRICS[found.metric].bounds or (-np.inf, np.inf)
        assert found.low is None or least <= found.low <= found.value <= found.high <= most


@pytest.mark.parametrize(("holding", "has_interval"), [(4, False), (5, True)])
def test_a_class_that_few_groups_hold_has_no_interval(holding, has_interval):
    groups = np.repeat(np.arange(20), 6)
    truth = np.tile([0, 1], 60)
    truth[groups < holding] = np.tile([0, 2], holding * 3)
    rows = single(truth, truth, groups)
    kept = [row(rows, name, 2).low is not None for name in ("recall", "precision", "f1")]
    assert kept == [has_interval] * 3


def test_specificity_is_made_of_all_groups():
    groups = np.repeat(np.arange(20), 6)
    truth = np.tile([0, 1], 60)
    truth[0] = 2
    assert row(single(truth, truth, groups), "specificity", 2).low > 0.8


@pytest.mark.parametrize(("groups", "has_interval"), [(4, False), (5, True)])
def test_few_groups_in_all_have_no_interval(groups, has_interval):
    truth = np.tile([0, 1, 2], 20)
    found = row(single(truth, (truth > 0) * 1, np.arange(60) % groups), "accuracy")
    assert (found.low is not None) == has_interval


def test_groups_are_worth_no_more_than_their_samples():
    groups, truth = np.repeat(np.arange(10), 10), np.zeros(100, int)
    predicted = np.tile([0] * 9 + [1], 10)  # nine right in each group but for two of them
    predicted[[0, 19]] = [1, 0]
    found = row(single(truth, predicted, groups), "accuracy")
    assert found.high - found.low > 0.1


def test_sums_in_another_order_are_no_spread():
    left_out = 0.9 + 1e-15 * np.array([[1.0], [-1.0], [0.0], [1.0], [0.0]])
    spread = jackknife(np.array([0.9]), left_out)
    assert (spread.variance[0], spread.freedom[0]) == (0, np.inf)


def test_one_group_that_makes_the_spread_widens_the_interval():
    values = np.array([0.9, 0.9])
    even = np.where(np.arange(40) % 2, 0.9 + 0.005, 0.9 - 0.005)
    one = np.full(40, 0.9)
    one[0] -= 0.005 * 40**0.5
    spread = jackknife(values, np.stack([even, one], axis=1))
    low, high = grouped_interval(values, spread, units=np.full(2, 40.0))
    assert spread.freedom[0] == 39 > 3 > spread.freedom[1]
    assert high[1] - low[1] > 2 * (high[0] - low[0])


@pytest.mark.parametrize(("units", "resamples", "parts"), [(7, 10, 7), (300, 10, 10)])
def test_each_unit_is_left_out_once(units, resamples, parts):
    kept = np.concatenate(
        each_left_out(lambda times: times.T, units, Resampling(resamples=resamples))
    )
    assert kept.shape == (parts, units)
    assert (kept.sum(axis=0, dtype=int) == parts - 1).all()


def test_parts_are_of_equal_size_and_drawn():
    kept = np.concatenate(each_left_out(lambda times: times.T, 23, Resampling(resamples=5)))
    assert set((kept == 0).sum(axis=1)) == {4, 5}
    assert (np.diff(np.flatnonzero(kept[0] == 0)) != 5).any()


def test_threads_and_blocks_do_not_change_what_is_left_out(monkeypatch):
    whole = np.concatenate(each_left_out(lambda t: t.T, 300, Resampling(resamples=50)))
    monkeypatch.setattr(resampling, "_BLOCK_BYTES", 7 * 300)
    again = np.concatenate(each_left_out(lambda t: t.T, 300, Resampling(resamples=50)))
    np.testing.assert_array_equal(whole, again)


def test_no_resamples_give_no_interval():
    truth = np.tile([0, 1, 2], 20)
    assert all(r.low is None for r in single(truth, truth, resamples=0))


def covered(interval, right, sizes, p):
    low, high = interval(right, sizes)
    return float(((low <= p) & (p <= high)).mean())


def ours(right, sizes):
    values, left_out = accuracy_left_out(right, sizes)
    return grouped_interval(
        values,
        jackknife(values, left_out),
        units=np.full(len(values), float(right.shape[1])),
        trials=sizes.sum(axis=1),
    )


@pytest.mark.parametrize("grouped", [True, False])
def test_losses_have_no_interval(grouped):
    truth = np.tile([0, 1, 2], 40)
    rows = single(truth, truth, np.repeat(np.arange(12), 10) if grouped else None)
    kept = [row for row in rows if row.metric in ("brier", "log_loss")]
    assert {(row.metric, row.low) for row in kept} == {("brier", None), ("log_loss", None)}


@pytest.mark.parametrize("parts", [2, 3])
def test_few_parts_know_the_variance_no_better_than_they_are_many(parts):
    rng = np.random.default_rng(0)
    moves = rng.normal(size=(parts, 50)) * 0.01
    assert jackknife(np.full(50, 0.8), 0.8 + moves).freedom.max() <= parts - 1


def percentile(right, sizes):
    times = drawn_times(right.shape[1], first=0, width=300, seed=0).astype(float)
    return np.quantile((right @ times) / (sizes @ times), [0.025, 0.975], axis=1)


@pytest.mark.parametrize(("groups", "p", "icc"), [(10, 0.97, 0.1), (40, 0.99, 0.3)])
def test_intervals_cover_new_groups_where_a_percentile_bootstrap_does_not(groups, p, icc):
    rng = np.random.default_rng(0)
    draw = accuracy_draw(rng, repeats=600, groups=groups, p=p, icc=icc, is_equal=True)
    assert covered(ours, *draw, p) > 0.925
    assert covered(percentile, *draw, p) < 0.86
