"""Intervals of multilabel metrics, against a slow loop that resamples rows themselves."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from featbank.metrics import _ranking, _resampling
from featbank.metrics._multilabel_scoring import score_multilabel
from featbank.metrics._ranking import rank
from featbank.metrics._resampling import resampled_weights

K = 3


@pytest.fixture
def clustered():
    """200 samples in 25 groups of unequal size; a group is scored well or badly as a whole."""
    rng = np.random.default_rng(0)
    groups = np.sort(rng.integers(25, size=200))
    truth = (rng.uniform(size=(200, K)) < [0.2, 0.5, 0.4]).astype(np.int8)
    skill = rng.choice([0.1, 0.9], size=25)[groups][:, None]
    return truth, np.round(skill * truth + rng.uniform(size=(200, K)), 1), groups


def score(truth, scores, groups=None, **options):
    thresholds = {"0.5": np.full(K, 0.5)}
    return score_multilabel(truth, scores, thresholds=thresholds, groups=groups, **options)


def row(rows, metric, average):
    return next(each for each in rows if (each.metric, each.average) == (metric, average))


def looped_interval(function, truth, scores, groups, resamples=300):
    rng = np.random.default_rng(1)
    members = [np.flatnonzero(groups == name) for name in np.unique(groups)]
    values = []
    for _ in range(resamples):
        rows = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        values.append(function(truth[rows], scores[rows]))
    return np.percentile(values, [2.5, 97.5])


@pytest.mark.parametrize("by_group", [True, False])
@pytest.mark.parametrize(
    ("metric", "average", "function"),
    [
        ("map", "macro", average_precision_score),
        ("map", "micro", lambda t, s: average_precision_score(t, s, average="micro")),
        ("f1", "macro", lambda t, s: f1_score(t, s >= 0.5, average="macro")),
    ],
)
def test_interval_equals_a_loop(clustered, metric, average, function, by_group):
    truth, scores, groups = clustered
    found = row(score(truth, scores, groups if by_group else None), metric, average)
    units = groups if by_group else np.arange(200)
    expected = looped_interval(function, truth, scores, units)
    np.testing.assert_allclose([found.low, found.high], expected, atol=0.02)


def test_a_weighted_curve_equals_that_of_repeated_rows(clustered):
    truth, scores, _ = clustered
    times = np.random.default_rng(2).integers(0, 3, size=200)
    curve = rank(truth[:, 0], scores[:, 0]).curve(times[None].astype(float))
    repeated = np.repeat(truth[:, 0], times), np.repeat(scores[:, 0], times)
    found = [curve.tp[0, -1], curve.tp[0, -1] + curve.fp[0, -1]]
    lowest = scores[:, 0][truth[:, 0] == 1].min()
    assert found == [repeated[0].sum(), (repeated[1] >= lowest).sum()]


def test_blocks_do_not_change_the_intervals(clustered, monkeypatch):
    whole = score(*clustered, resamples=40)
    monkeypatch.setattr(_resampling, "_BLOCK_NUMBERS", 7 * 200)
    monkeypatch.setattr(_ranking, "_BLOCK_NUMBERS", 3 * 200)
    assert score(*clustered, resamples=40) == whole


@pytest.mark.parametrize("with_groups", [False, True])
def test_blocks_of_weights_are_bounded(clustered, monkeypatch, with_groups):
    monkeypatch.setattr(_resampling, "_BLOCK_NUMBERS", 7 * 200)
    groups = clustered[2] if with_groups else None
    blocks = list(resampled_weights(200, groups=groups, resamples=50))
    assert [len(block) for block in blocks] == [7] * 7 + [1]


def test_resampled_samples_keep_n():
    weights = np.concatenate(list(resampled_weights(200, resamples=50)))
    assert (weights.sum(axis=1) == 200).all()


def test_members_of_a_group_are_drawn_together(clustered):
    groups = clustered[2]
    weights = np.concatenate(list(resampled_weights(200, groups=groups, resamples=50)))
    first = np.unique(groups, return_index=True)[1]
    np.testing.assert_array_equal(weights, weights[:, first][:, groups])


def test_groups_widen_the_interval_of_clustered_samples(clustered):
    wide, narrow = (row(score(*each), "map", "macro") for each in (clustered, clustered[:2]))
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)


def test_an_absent_label_has_no_interval(clustered):
    truth, scores, _ = clustered
    truth[:, 1] = 0
    rows = score(truth, scores, resamples=20)
    absent = next(each for each in rows if (each.metric, each.class_index) == ("map", 1))
    assert (absent.low, absent.high) == (None, None)


def test_an_absent_label_does_not_change_the_macro_interval(clustered):
    truth, scores, _ = clustered
    truth[:, 1] = 0
    found = row(score(truth, scores, resamples=50), "map", "macro")
    others = row(
        score_multilabel(truth[:, ::2], scores[:, ::2], thresholds={}, resamples=50), "map", "macro"
    )
    assert (found.value, found.low) == (others.value, others.low)


def test_counts_have_no_interval(clustered):
    rows = score(*clustered, resamples=20)
    assert {each.metric for each in rows if each.low is None} == {"tp", "fp", "tn", "fn"}


def test_one_group_has_no_interval(clustered):
    truth, scores, _ = clustered
    assert row(score(truth, scores, np.zeros(200)), "map", "macro").low is None
