"""Calibration errors against torchmetrics, scikit-learn's curve and a loop; temperature."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from featbank.metrics.calibration import ece, mce, rmsce
from featbank.metrics.scoring.calibrated import calibrated_rows
from featbank.metrics.scoring.calibration import (
    _edges,
    are_probabilities,
    bins_of,
    fit_temperature,
    pooled,
    reliability,
    scaled,
)
from featbank.metrics.scoring.multilabel_scoring import score_multilabel
from featbank.metrics.scoring.resampling import Resampling
from featbank.metrics.scoring.scoring import score


def binary_calibration_error(*args, **told):
    from torchmetrics.functional.classification import binary_calibration_error as theirs

    return theirs(*args, **told)


def multiclass_calibration_error(*args, **told):
    from torchmetrics.functional.classification import multiclass_calibration_error as theirs

    return theirs(*args, **told)


NORMS = {"ece": "l1", "rmsce": "l2", "mce": "max"}
K = 4


@pytest.fixture(params=range(3))
def multiclass(request):
    """200 samples of four classes, one of which is never true."""
    rng = np.random.default_rng(request.param)
    truth = rng.choice([0, 1, 3], size=200)
    return truth, rng.dirichlet([0.7] * K, size=200) * 0.8 + 0.2 * np.eye(K)[truth]


@pytest.fixture(params=range(3))
def multilabel(request):
    """200 samples of four labels, one of which never holds."""
    rng = np.random.default_rng(request.param)
    truth = (rng.uniform(size=(200, K)) < [0.5, 0, 0.1, 0.3]).astype(np.int8)
    return truth, rng.uniform(0.05, 0.7, size=(200, K)) + 0.2 * truth


def values(rows, metric):
    found = [row for row in rows if row.metric == metric]
    return {row.average or row.class_index: row.value for row in found}


@pytest.mark.parametrize("metric", NORMS)
def test_one_class_a_sample_equals_torchmetrics(multiclass, metric):
    rows = score(*multiclass, resampling=Resampling(resamples=0))
    truth, scores = map(torch.from_numpy, multiclass)
    expected = multiclass_calibration_error(scores, truth, K, n_bins=15, norm=NORMS[metric])
    assert values(rows, metric) == {None: pytest.approx(float(expected), abs=1e-6)}


@pytest.mark.parametrize("metric", NORMS)
def test_labels_and_their_mean_equal_torchmetrics(multilabel, metric):
    rows = score_multilabel(*multilabel, thresholds={}, resampling=Resampling(resamples=0))
    truth, scores = (torch.from_numpy(np.asfortranarray(each)) for each in multilabel)
    expected = [
        float(binary_calibration_error(scores[:, k], truth[:, k], n_bins=15, norm=NORMS[metric]))
        for k in range(K)
    ]
    found = values(rows, metric)
    assert [found[k] for k in range(K)] == pytest.approx(expected, abs=1e-6)
    assert found["macro"] == pytest.approx(np.mean(expected), abs=1e-6)


@pytest.mark.parametrize("metric", NORMS)
def test_pooled_labels_equal_torchmetrics(multilabel, metric):
    rows = score_multilabel(*multilabel, thresholds={}, resampling=Resampling(resamples=0))
    truth, scores = (torch.from_numpy(each).flatten() for each in multilabel)
    expected = binary_calibration_error(scores, truth, n_bins=15, norm=NORMS[metric])
    assert values(rows, metric)["micro"] == pytest.approx(float(expected), abs=1e-6)


def looped(truth, scores, n_bins=15):
    """Mean, root mean square and largest gap, bin by bin; one of a score of 1 alone."""
    gaps, shares = [], []
    for low, high in pairwise([*(np.arange(n_bins + 1) / n_bins), 2.0]):
        kept = (scores >= low) & (scores < high)
        if kept.any():
            gaps.append(abs(truth[kept].mean() - scores[kept].mean()))
            shares.append(kept.mean())
    gaps, shares = np.array(gaps), np.array(shares)
    return shares @ gaps, np.sqrt(shares @ gaps**2), gaps.max()


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8)), min_size=1, max_size=12))
def test_errors_equal_a_loop_whatever_the_ties(pairs):
    truth, eighths = np.array(pairs).T
    bins = bins_of(truth[:, None], eighths[:, None] / 8)
    found = [metric(bins)[0] for metric in (ece, rmsce, mce)]
    np.testing.assert_allclose(found, looped(truth, eighths / 8), atol=1e-12)


def test_a_reliability_diagram_equals_the_reference(multilabel):
    diagram = reliability(*multilabel, n_bins=10)
    truth, scores = (each.ravel() for each in multilabel)
    accuracy, confidence = calibration_curve(truth, scores, n_bins=10)
    filled = diagram.count > 0
    np.testing.assert_allclose(diagram.accuracy[filled], accuracy)
    np.testing.assert_allclose(diagram.confidence[filled], confidence)


def test_a_reliability_diagram_counts_every_decision(multiclass):
    diagram = reliability(*multiclass)
    assert (len(diagram.edges), diagram.count.sum()) == (16, 200)


def test_a_bin_holds_its_lower_edge_and_one_is_a_bin_of_its_own():
    scores = np.array([[0.0], [0.2], [0.99], [1.0]])
    bins = bins_of(np.ones((4, 1)), scores, n_bins=5)
    assert bins.count[0].tolist() == [1, 1, 0, 0, 1, 1]


def test_a_diagram_draws_a_confidence_of_one_in_the_last_bin():
    truth, scores = np.array([1, 0, 0]), np.array([[0.0, 1.0], [0.95, 0.05], [0.0, 1.0]])
    diagram = reliability(truth, scores, n_bins=5)
    assert diagram.count.tolist() == [0, 0, 0, 0, 3]
    # Two bins: of 1, half right, and of .95, right.
    assert diagram.error == pytest.approx((2 * 0.5 + 1 * 0.05) / 3)


@pytest.mark.parametrize("n_bins", [5, 6, 10, 15, 20])
def test_edges_are_rounded_as_torch_rounds_them(n_bins):
    expected = torch.linspace(0, 1, n_bins + 1).numpy()
    np.testing.assert_array_equal(_edges(n_bins, np.float32), expected)


@pytest.mark.parametrize("metric", NORMS)
@pytest.mark.parametrize("seed", range(3))
def test_confidences_on_edges_beside_others_equal_torchmetrics(metric, seed):
    rng = np.random.default_rng(seed)
    edges = torch.linspace(0, 1, 16).numpy()
    on_edges, beside = rng.choice(edges, size=(150, K)), rng.random((150, K), np.float32)
    scores = np.concatenate([on_edges, beside])
    truth = (rng.random(scores.shape) < scores**2).astype(np.int8)
    rows = score_multilabel(truth, scores, thresholds={}, resampling=Resampling(resamples=0))
    found = values(rows, metric)
    for k in range(K):
        given = torch.from_numpy(scores[:, k].copy()), torch.from_numpy(truth[:, k].copy())
        expected = binary_calibration_error(*given, n_bins=15, norm=NORMS[metric])
        assert found[k] == pytest.approx(float(expected), abs=1e-6)


def test_scores_that_are_no_probabilities_have_no_calibration(multiclass):
    truth, scores = multiclass
    rows = score(truth, scores * 7, resampling=Resampling(resamples=0))
    assert not {row.metric for row in rows} & {"ece", "log_loss", "brier"}


@pytest.mark.parametrize(
    ("scores", "exclusive", "expected"),
    [
        ([[0.5, 0.5]], True, True),
        ([[0.5, 0.6]], True, False),
        ([[0.5, 0.6]], False, True),
        ([[-0.5, 0.6]], False, False),
    ],
)
def test_probabilities_are_told(scores, exclusive, expected):
    assert are_probabilities(np.array(scores), exclusive=exclusive) is expected


def softened(truth, rng, temperature):
    """Probabilities that are right as they stand, and the same sharpened."""
    logits = rng.normal(size=(4000, K)) * 1.5
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(K, p=row) for row in honest])
    sharp = np.exp(logits * temperature)
    return truth, sharp / sharp.sum(axis=1, keepdims=True)


def test_a_temperature_undoes_what_sharpened_probabilities():
    truth, sharp = softened(None, np.random.default_rng(0), 3.0)
    assert fit_temperature(truth, sharp) == pytest.approx(3, rel=0.1)


def test_a_temperature_has_the_least_log_loss(multiclass):
    truth, scores = multiclass

    def loss(temperature):
        powers = scores ** (1 / temperature)
        return log_loss(truth, powers / powers.sum(axis=1, keepdims=True), labels=range(K))

    expected = minimize_scalar(loss, bounds=(0.05, 20), method="bounded").x
    assert fit_temperature(*multiclass) == pytest.approx(expected, rel=1e-3)


def test_one_temperature_serves_all_labels(multilabel):
    truth, scores = multilabel

    def loss(temperature):
        odds = (scores / (1 - scores)) ** (1 / temperature)
        return log_loss(truth.ravel(), (odds / (1 + odds)).ravel())

    expected = minimize_scalar(loss, bounds=(0.05, 20), method="bounded").x
    assert fit_temperature(*multilabel) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_temperature_of_one_changes_nothing(multiclass, exclusive):
    scores = multiclass[1]
    np.testing.assert_allclose(scaled(scores, 1.0, exclusive=exclusive), scores, atol=1e-6)


def test_a_temperature_keeps_the_order(multiclass):
    scores = multiclass[1]
    hot = scaled(scores, 5.0, exclusive=True)
    np.testing.assert_array_equal(hot.argmax(axis=1), scores.argmax(axis=1))
    assert hot.max() < scores.max()


def test_scores_of_zero_and_one_have_a_temperature():
    truth = np.array([0, 1, 1, 0])
    assert fit_temperature(truth, np.eye(2)[[0, 1, 0, 1]]) > 10


def test_calibration_after_temperature_is_better():
    truth, sharp = softened(None, np.random.default_rng(0), 3.0)
    rows = list(calibrated_rows(truth, sharp, validation=(truth, sharp)))
    assert [row.metric for row in rows] == ["temperature", "ece_scaled"]
    assert rows[1].value < 0.3 * ece(bins_of(truth, sharp))[0]


def test_calibration_of_labels_after_temperature_has_both_means(multilabel):
    rows = list(calibrated_rows(*multilabel, validation=multilabel))
    hot = scaled(multilabel[1], rows[0].value, exclusive=False)
    bins = bins_of(multilabel[0], hot)
    expected = {"macro": float(ece(bins).mean()), "micro": float(ece(pooled(bins)))}
    assert values(rows, "ece_scaled") == pytest.approx(expected)


def test_without_validation_there_is_no_temperature(multiclass):
    nothing = np.zeros(0, int), np.zeros((0, K))
    assert list(calibrated_rows(*multiclass, validation=nothing)) == []
