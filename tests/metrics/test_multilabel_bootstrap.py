"""Intervals of multilabel metrics, against a slow loop that resamples rows themselves."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from featbank.metrics import METRICS, _resampling
from featbank.metrics._multilabel_scoring import score_multilabel
from featbank.metrics._ranking import rank
from featbank.metrics._resampling import Bootstrap, drawn_times, units_of
from featbank.metrics.average_precision import average_precision

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
    bootstrap = Bootstrap(groups=groups, **options)
    return score_multilabel(truth, scores, thresholds=thresholds, bootstrap=bootstrap)


def row(rows, metric, average):
    return next(each for each in rows if (each.metric, each.average) == (metric, average))


def looped_interval(function, truth, scores, codes, resamples):
    """Rows repeated as often as the same draws say, and scored one resample after the other."""
    times = drawn_times(codes.max() + 1, first=0, width=resamples, seed=0)[codes]
    values = [function(np.repeat(truth, t, axis=0), np.repeat(scores, t, axis=0)) for t in times.T]
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
    kept = groups if by_group else None
    found = row(score(truth, scores, kept, resamples=30), metric, average)
    expected = looped_interval(function, truth, scores, groups if by_group else np.arange(200), 30)
    np.testing.assert_allclose([found.low, found.high], expected, rtol=1e-12)


def test_average_precision_of_a_resample_equals_that_of_repeated_rows(clustered):
    truth, scores, _ = clustered
    times = np.random.default_rng(2).integers(0, 3, size=(200, 4)).astype(np.uint8)
    found = average_precision(rank(truth[:, 0], scores[:, 0]), times)
    expected = [
        average_precision_score(np.repeat(truth[:, 0], t), np.repeat(scores[:, 0], t))
        for t in times.T
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_pooled_resample_of_groups_equals_repeated_rows(clustered):
    truth, scores, groups = clustered
    times = np.random.default_rng(2).integers(0, 3, size=(25, 4)).astype(np.uint8)
    found = average_precision(rank(truth, scores, units_of(200, groups).codes), times)
    rows = [np.repeat(np.arange(200), t[groups]) for t in times.T]
    expected = [average_precision_score(truth[r].ravel(), scores[r].ravel()) for r in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_blocks_do_not_change_the_intervals(clustered, monkeypatch):
    whole = score(*clustered, resamples=40)
    monkeypatch.setattr(_resampling, "_BLOCK_BYTES", 7 * 25)
    assert score(*clustered, resamples=40) == whole


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
        score_multilabel(
            truth[:, ::2], scores[:, ::2], thresholds={}, bootstrap=Bootstrap(resamples=50)
        ),
        "map",
        "macro",
    )
    assert (found.value, found.low) == (others.value, others.low)


def test_counts_and_calibration_errors_have_no_interval(clustered):
    truth, scores, _ = clustered
    rows = score(truth, scores / 2, resamples=20)
    plain = {n for n, spec in METRICS.items() if spec.multilabel and not spec.has_interval}
    assert {each.metric for each in rows if each.low is None} == plain


def test_one_group_has_no_interval(clustered):
    truth, scores, _ = clustered
    assert row(score(truth, scores, np.zeros(200)), "map", "macro").low is None
