"""What is drawn or left out for intervals, and which rows have one."""

import numpy as np
import pytest

from featbank.metrics import METRICS
from featbank.metrics.scoring import resampling
from featbank.metrics.scoring.resampling import (
    Resampling,
    drawn_times,
    each_block,
    interval,
    units_of,
)
from featbank.metrics.scoring.scoring import score

K = 3


@pytest.fixture
def clustered():
    """300 samples in 30 groups of unequal size; a group is predicted well or badly as a whole."""
    rng = np.random.default_rng(0)
    groups = np.sort(rng.integers(30, size=300))
    truth = rng.integers(K, size=300)
    is_right = rng.uniform(size=300) < rng.choice([0.3, 0.95], size=30)[groups]
    return truth, np.where(is_right, truth, (truth + 1) % K), groups


def rows_of(truth, predicted, groups=None, n_classes=K, **options):
    resampling = Resampling(groups=groups, **options)
    return score(truth, np.eye(n_classes)[predicted], resampling=resampling)


def accuracy_row(*case, **options):
    return rows_of(*case, **options)[0]


def all_times(units, resamples=50):
    return np.concatenate(
        each_block(lambda times: times.T, units, Resampling(resamples=resamples)), axis=0
    )


def test_an_interval_is_as_wide_as_the_binomial_one(clustered):
    truth, predicted, _ = clustered
    row = accuracy_row(truth, predicted, resamples=2000)
    deviation = np.sqrt(row.value * (1 - row.value) / 300)
    assert row.high - row.low == pytest.approx(2 * 1.96 * deviation, rel=0.1)


def test_groups_widen_the_interval_of_clustered_samples(clustered):
    by_group, by_sample = accuracy_row(*clustered), accuracy_row(*clustered[:2])
    assert by_group.high - by_group.low > 1.5 * (by_sample.high - by_sample.low)


def test_groups_of_one_sample_equal_samples(clustered):
    truth, predicted, _ = clustered
    assert rows_of(truth, predicted, np.arange(300)) == rows_of(truth, predicted)


def test_group_names_may_be_strings(clustered):
    truth, predicted, groups = clustered
    names = np.char.add("tile_", np.char.zfill(groups.astype(str), 3))
    assert accuracy_row(truth, predicted, names) == accuracy_row(truth, predicted, groups)


def test_intervals_enclose_the_value(clustered):
    rows = [row for row in rows_of(*clustered[:2]) if row.low is not None]
    assert all(row.low <= row.value <= row.high for row in rows)


def test_a_set_is_as_large_as_what_it_is_drawn_of():
    assert (all_times(300).sum(axis=1, dtype=int) == 300).all()


def test_units_are_drawn_alike():
    times = all_times(50, resamples=4000)
    np.testing.assert_allclose(times.mean(axis=0), 1, atol=0.08)
    np.testing.assert_allclose(times.var(axis=0), 1 - 1 / 50, atol=0.12)


@pytest.mark.parametrize("block_bytes", [1, 7 * 300])
def test_blocks_do_not_change_the_draws(monkeypatch, block_bytes):
    whole = all_times(300)
    monkeypatch.setattr(resampling, "_BLOCK_BYTES", block_bytes)
    np.testing.assert_array_equal(all_times(300), whole)


def test_threads_do_not_change_the_draws(monkeypatch):
    monkeypatch.setattr(resampling, "_WIDTH", 3)
    threaded = all_times(300)
    monkeypatch.setattr(resampling, "_cores", lambda: 1)
    np.testing.assert_array_equal(all_times(300), threaded)


def test_blocks_are_bounded(monkeypatch):
    monkeypatch.setattr(resampling, "_BLOCK_BYTES", 7 * 300)
    monkeypatch.setattr(resampling, "_cores", lambda: 2)
    widths = each_block(lambda times: times.shape[1], 300, Resampling(resamples=50))
    assert widths == [7] * 7 + [1]


def test_equal_seeds_give_equal_intervals(clustered):
    assert rows_of(*clustered, seed=3) == rows_of(*clustered, seed=3)


def test_other_seeds_give_other_draws():
    first, second = (drawn_times(300, first=0, width=5, seed=seed) for seed in (0, 1))
    assert (first != second).any()


def test_resamples_differ():
    times = drawn_times(300, first=0, width=2, seed=0)
    assert (times[:, 0] != times[:, 1]).any()


def test_units_of_groups_number_them(clustered):
    units = units_of(300, clustered[2])
    assert (units.count, units.codes.tolist()) == (30, clustered[2].tolist())


def test_counts_and_calibration_errors_have_no_interval(clustered):
    plain = {n for n, s in METRICS.items() if s.single_label and not (s.has_interval and s.bounds)}
    rows = rows_of(*clustered[:2], resamples=20)
    assert {row.metric for row in rows if row.low is None} == plain


def test_an_absent_class_has_no_interval(clustered):
    rows = rows_of(*clustered[:2], n_classes=K + 1, resamples=20)
    absent = next(row for row in rows if row.metric == "recall" and row.class_index == K)
    assert (absent.low, absent.high) == (None, None)


def test_one_group_has_no_interval(clustered):
    truth, predicted, _ = clustered
    assert accuracy_row(truth, predicted, np.zeros(300)).low is None


def test_no_samples_have_no_number():
    row = accuracy_row(np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    assert np.isnan(row.value)
    assert row.low is None


def test_interval_leaves_undefined_replicates_out():
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])
    low, high = interval(values, level=0.5)
    np.testing.assert_array_equal([low, high], [[1.5, np.nan], [2.5, np.nan]])
