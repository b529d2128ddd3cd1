"""Intervals of multilabel metrics, against a slow loop that leaves out rows themselves."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq
from sklearn.metrics import average_precision_score, f1_score

from featbank.metrics import METRICS
from featbank.metrics.average_precision import average_precision
from featbank.metrics.scoring import resampling
from featbank.metrics.scoring.multilabel_scoring import score_multilabel
from featbank.metrics.scoring.ranking import rank
from featbank.metrics.scoring.resampling import Resampling, units_of

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
    resampling = Resampling(groups=groups, **options)
    return score_multilabel(truth, scores, thresholds=thresholds, resampling=resampling)


def row(rows, metric, average):
    return next(each for each in rows if (each.metric, each.average) == (metric, average))


def looped_interval(function, truth, scores, codes):
    """Each group left out in turn and the rest scored; then Wilson's equation, solved for p."""
    parts = [codes != code for code in np.unique(codes)]
    value, count = function(truth, scores), len(parts)
    moved = np.array([function(truth[kept], scores[kept]) for kept in parts]) - value
    variance = (count - 1) / count * (moved @ moved + (moved**2).max())
    # The degrees of freedom of a variance are 2 mean² / variance of it.
    second, fourth = (moved**2).mean(), (moved**4).mean()
    freedom = 2 * second**2 * count / (fourth - (count - 3) / (count - 1) * second**2)
    t = stats.t.ppf(0.975, min(freedom, count - 1))
    size = value * (1 - value) / variance

    def off(p):
        return (p - value) ** 2 - t**2 * p * (1 - p) / size

    return [brentq(off, 0, value), brentq(off, value, 1)]


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
    found = row(score(truth, scores, kept), metric, average)
    expected = looped_interval(function, truth, scores, groups if by_group else np.arange(200))
    np.testing.assert_allclose([found.low, found.high], expected, rtol=1e-9)


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
    monkeypatch.setattr(resampling, "_BLOCK_BYTES", 7 * 25)
    found = score(*clustered, resamples=40)
    # Sums of blocks of another width may differ in the last bit.
    ends = [[[each.low, each.high] for each in rows if each.low] for rows in (found, whole)]
    np.testing.assert_allclose(*ends, rtol=1e-9)


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
            truth[:, ::2], scores[:, ::2], thresholds={}, resampling=Resampling(resamples=50)
        ),
        "map",
        "macro",
    )
    assert (found.value, found.low) == (others.value, others.low)


def test_counts_and_calibration_errors_have_no_interval(clustered):
    truth, scores, _ = clustered
    rows = score(truth, scores / 2, resamples=20)
    plain = {n for n, s in METRICS.items() if s.multilabel and not (s.has_interval and s.bounds)}
    assert {each.metric for each in rows if each.low is None} == plain


def test_one_group_has_no_interval(clustered):
    truth, scores, _ = clustered
    assert row(score(truth, scores, np.zeros(200)), "map", "macro").low is None
