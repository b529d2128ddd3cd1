"""Top-k accuracy, log loss and Brier score against scikit-learn's, and every resample of them."""

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given
from hypothesis import strategies as st

from featbank.metrics.scoring.multilabel_scoring import score_multilabel
from featbank.metrics.scoring.resampling import Resampling, units_of
from featbank.metrics.scoring.scoring import SinglePanel, score

K = 6


@pytest.fixture(params=range(3))
def case(request):
    """80 samples of six classes, one of which is never true."""
    rng = np.random.default_rng(request.param)
    truth = rng.integers(0, K - 1, size=80)
    return truth, rng.dirichlet([0.7] * K, size=80) * 0.8 + 0.2 * np.eye(K)[truth]


def value(truth, scores, metric, **options):
    rows = score(truth, scores, resampling=Resampling(resamples=0), **options)
    return next(row.value for row in rows if row.metric == metric)


@pytest.mark.parametrize("k", [3, 5])
def test_top_k_accuracy_equals_the_reference(case, k):
    expected = reference.top_k_accuracy_score(*case, k=k, labels=range(K))
    assert value(*case, f"top{k}_accuracy") == pytest.approx(expected)


def test_of_equal_scores_the_first_class_stands_first():
    scores = np.full((K, K), 1 / K)
    assert value(np.arange(K), scores, "top3_accuracy") == 0.5
    assert value(np.arange(K), scores, "top5_accuracy") == pytest.approx(5 / 6)


@given(st.lists(st.tuples(st.integers(0, 4), *[st.integers(0, 2)] * 5), min_size=1, max_size=8))
def test_top_k_accuracy_equals_a_stable_sort_whatever_the_ties(rows):
    truth, scores = np.array(rows)[:, 0], np.array(rows)[:, 1:]
    best = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    expected = (best == truth[:, None]).any(axis=1).mean()
    assert value(truth, scores, "top3_accuracy") == pytest.approx(expected)


@pytest.mark.parametrize(("classes", "expected"), [(3, []), (5, [3]), (6, [3, 5])])
def test_a_top_k_of_all_classes_is_left_out(classes, expected):
    rows = score(np.zeros(2, int), np.eye(classes)[:2], resampling=Resampling(resamples=0))
    found = [row.metric for row in rows if row.metric.startswith("top")]
    assert found == [f"top{k}_accuracy" for k in expected]


def test_log_loss_equals_the_reference(case):
    expected = reference.log_loss(*case, labels=range(K))
    assert value(*case, "log_loss") == pytest.approx(expected)


def test_brier_score_equals_the_reference(case):
    expected = reference.brier_score_loss(*case, labels=range(K))
    assert value(*case, "brier") == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["log_loss", "brier"])
def test_losses_of_labels_equal_the_mean_of_the_reference(metric):
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, 2, size=(30, K)), rng.uniform(size=(30, K))
    function = {"log_loss": reference.log_loss, "brier": reference.brier_score_loss}[metric]
    rows = score_multilabel(truth, scores, thresholds={}, resampling=Resampling(resamples=0))
    found = next(row.value for row in rows if row.metric == metric)
    expected = np.mean([function(truth[:, k], scores[:, k]) for k in range(K)])
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("by_group", [False, True])
def test_every_metric_of_a_resample_equals_that_of_repeated_rows(case, by_group):
    truth, scores = case
    units = units_of(80, np.arange(80) // 3 if by_group else None)
    times = np.random.default_rng(0).integers(0, 3, size=(units.count, 5)).astype(np.uint8)
    drawn = SinglePanel(truth, scores, units, "left out").measure(times)
    for r in range(5):
        rows = np.repeat(np.arange(80), times[units.codes, r])
        panel = SinglePanel(truth[rows], scores[rows], units_of(len(rows)), "left out")
        for found, expected in zip(drawn, panel.measure(panel.units.once), strict=True):
            np.testing.assert_allclose(found[r], expected[0], rtol=1e-12)
