"""The logistic probe; what every probe promises is in the contract tests."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from featbank.errors import ProbeError
from featbank.probes.fitting.logistic_classifier import LogisticClassifier


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=90)
    return rng.normal(size=(90, 4)) + y[:, None] + 5, y


def least_loss(X, y, C):
    """Probabilities at the least C * summed cross-entropy + |W|^2 / 2, by BFGS."""

    def loss(flat):
        W, b = flat[:12].reshape(4, 3), flat[12:]
        scores = X @ W + b
        chosen = scores[np.arange(len(y)), y]
        return C * (logsumexp(scores, axis=1) - chosen).sum() + (W**2).sum() / 2

    flat = minimize(loss, np.zeros(15), method="BFGS").x
    scores = X @ flat[:12].reshape(4, 3) + flat[12:]
    return np.exp(scores - logsumexp(scores, axis=1, keepdims=True))


@pytest.mark.parametrize("C", [0.01, 1.0])
def test_probabilities_minimise_the_stated_objective(samples, C):
    X, y = samples
    probabilities = LogisticClassifier(C=C, tol=1e-8).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(probabilities, least_loss(X, y, C), atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_weights_equal_those_of_scikit_learn_on_raw_features(samples, classes):
    X, y = samples
    kept = y < classes
    ours = LogisticClassifier(tol=1e-9).fit(X[kept], y[kept])
    theirs = LogisticRegression(tol=1e-9, max_iter=5000).fit(X[kept], y[kept])
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)


def test_a_stronger_penalty_gives_smaller_weights(samples):
    norms = [np.linalg.norm(LogisticClassifier(C=C).fit(*samples).coef_) for C in (0.01, 1)]
    assert norms[0] < norms[1]


def test_too_few_iterations_are_recorded_not_warned_of(samples):
    assert not LogisticClassifier(max_iter=2).fit(*samples).converged_


def test_a_converged_fit_says_so(samples):
    assert LogisticClassifier().fit(*samples).converged_


def test_one_class_is_refused(samples):
    with pytest.raises(ProbeError, match="it holds one class, 1"):
        LogisticClassifier().fit(samples[0], np.ones(90, dtype=int))


def test_a_penalty_of_no_strength_is_refused(samples):
    with pytest.raises(ProbeError, match="C: it is 0"):
        LogisticClassifier(C=0).fit(*samples)


@pytest.fixture
def labels():
    """(90, 4): two labels that samples differ in, one that none bears, one that all bear."""
    rng = np.random.default_rng(1)
    return np.column_stack([rng.integers(2, size=(90, 2)), np.zeros(90, int), np.ones(90, int)])


@pytest.mark.parametrize("label", [0, 1])
def test_each_label_is_a_problem_of_two_classes(samples, labels, label):
    X = samples[0]
    together = LogisticClassifier(tol=1e-9).fit(X, labels).predict_proba(X)[:, label]
    alone = LogisticClassifier(tol=1e-9).fit(X, labels[:, label]).predict_proba(X)[:, 1]
    np.testing.assert_allclose(together, alone, atol=1e-12)


def test_labels_that_do_not_converge_are_told(samples, labels):
    assert not LogisticClassifier(max_iter=2).fit(samples[0], labels).converged_
