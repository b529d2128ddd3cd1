"""Our solver of logistic regressions against scikit-learn's, at tolerances that tell them apart."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from featbank.probes.fitting import logistic_solve
from featbank.probes.fitting.logistic_classifier import LogisticClassifier, fit_together


def reference(X, y, C, tol=1e-8):
    """scikit-learn's fit; by Newton steps, which reach a tolerance whatever the features' scales.

    Features are centred, which changes no probability.
    """
    model = LogisticRegression(C=C, tol=tol, max_iter=1000, solver="newton-cg")
    return model.fit(X - X.mean(axis=0), y)


def assert_same(ours, X, y, *, atol=1e-5):
    theirs = reference(X, y, ours.C)
    expected = theirs.predict_proba(X - X.mean(axis=0))
    np.testing.assert_allclose(ours.predict_proba(X), expected, atol=atol)
    return theirs


def make_features(rng, n, d):
    """Correlated, of variances that fall off as those of a vision transformer."""
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return rng.normal(size=(n, d)) * (1 + np.arange(d)) ** -0.6 @ turn + rng.normal(size=d)


@pytest.fixture(scope="module")
def classes():
    """(400, 20) features of 4 classes that overlap."""
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=400)
    return make_features(rng, 400, 20) + 0.5 * np.eye(4, 20)[y], y


@pytest.fixture(scope="module")
def labels():
    """(600, 24) features and 5 labels, from 2 % to 40 % of the samples."""
    rng = np.random.default_rng(1)
    X = make_features(rng, 600, 24)
    scores = 2 * X @ rng.normal(size=(24, 5)) + rng.logistic(size=(600, 5))
    return X, (scores > np.quantile(scores, (0.6, 0.75, 0.9, 0.95, 0.98), axis=0).diagonal()) * 1


STRENGTHS = np.logspace(-4, 3, 15)


def sweep(X, y, strengths=STRENGTHS, **params):
    params = {"tol": 1e-7, "dtype": "float64", "max_iter": 3000} | params
    return list(fit_together([LogisticClassifier(C=C, **params) for C in strengths], X, y))


def test_a_path_of_several_classes_equals_scikit_learns(classes):
    for fit in sweep(*classes)[::3]:
        theirs = assert_same(fit, *classes)
        np.testing.assert_allclose(fit.coef_, theirs.coef_, atol=1e-3 * np.abs(fit.coef_).max())


def test_a_path_of_labels_equals_scikit_learns(labels):
    X, y = labels
    for fit in sweep(X, y, tol=1e-9)[::4]:
        for k in (0, 4):
            expected = reference(X, y[:, k], fit.C).predict_proba(X - X.mean(axis=0))[:, 1]
            np.testing.assert_allclose(fit.predict_proba(X)[:, k], expected, atol=1e-5)


def test_float32_reaches_a_tolerance_below_its_own_rounding(classes):
    (fit,) = sweep(*classes, [1.0], tol=1e-10, dtype="float32")
    assert fit.converged_
    assert_same(fit, *classes)


def test_converged_means_the_stated_gradient(classes):
    X, y = classes
    (fit,) = sweep(X, y, [0.3], tol=1e-6)
    residual = fit.predict_proba(X) - np.eye(4)[y]
    gradient = residual.T @ (X - X.mean(axis=0)) / len(X) + fit.coef_ / (0.3 * len(X))
    assert np.abs(gradient).max() <= 1.01e-6
    assert np.abs(residual.mean(axis=0)).max() <= 1.01e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_features_of_all_scales_and_of_none_are_fitted(dtype):
    rng = np.random.default_rng(2)
    X = make_features(rng, 300, 12)
    X = np.column_stack([X * np.logspace(-3, 3, 12), X[:, :2], np.full(300, 7.0)])
    y = (X[:, 12] + rng.logistic(size=300) > 1).astype(int)
    (fit,) = sweep(X, y, [0.1], dtype=dtype, tol=1e-7)
    assert fit.converged_
    assert fit.coef_[0, -1] == pytest.approx(0, abs=1e-12)
    assert_same(fit, X, y, atol=1e-4)


@pytest.mark.parametrize("classes_", [2, 3])
def test_fewer_samples_than_features_are_fitted(classes_):
    rng = np.random.default_rng(3)
    X, y = make_features(rng, 40, 70), np.arange(40) % classes_
    (fit,) = sweep(X, y, [0.5], tol=1e-8)
    theirs = assert_same(fit, X, y)
    np.testing.assert_allclose(fit.coef_, theirs.coef_, atol=1e-4)


def test_a_label_of_one_sample_is_fitted(labels):
    X = labels[0]
    y = (np.arange(len(X)) == 17).astype(int)
    (fit,) = sweep(X, y, [1.0])
    assert_same(fit, X, y)


def test_a_sweep_agrees_with_fits_alone(labels):
    for fit in sweep(*labels, dtype="float32", tol=1e-6)[::5]:
        alone = LogisticClassifier(C=fit.C, tol=1e-6).fit(*labels)
        found = fit.predict_proba(labels[0])
        np.testing.assert_allclose(found, alone.predict_proba(labels[0]), atol=2e-3)


def test_strengths_may_come_in_any_order_and_twice(classes):
    fits = sweep(*classes, [3.0, 0.1, 3.0])
    assert np.array_equal(fits[0].coef_, fits[2].coef_)
    assert np.linalg.norm(fits[1].coef_) < np.linalg.norm(fits[0].coef_)


def test_problems_that_wait_for_memory_are_solved_alike(labels, monkeypatch):

    expected = sweep(*labels)
    monkeypatch.setattr(logistic_solve, "_STATE_BYTES", 100_000)
    for fit, whole in zip(sweep(*labels), expected, strict=True):
        found = fit.predict_proba(labels[0])
        np.testing.assert_allclose(found, whole.predict_proba(labels[0]), atol=1e-4)


def test_a_tolerance_out_of_reach_ends_unconverged():
    X = make_features(np.random.default_rng(4), 40, 70)
    (fit,) = sweep(X, np.arange(40) % 2, [1e10], tol=1e-25, max_iter=60)
    assert not fit.converged_
    assert fit.n_iter_ == 60
    assert np.isfinite(fit.coef_).all()


def test_features_of_two_precisions_give_one_model(classes):
    X, y = classes
    fits = [LogisticClassifier(tol=1e-6).fit(X.astype(kind), y) for kind in (np.float32, float)]
    np.testing.assert_allclose(fits[0].coef_, fits[1].coef_, atol=1e-3)


def test_an_unknown_dtype_is_refused(classes):
    from featbank.errors import ProbeError

    with pytest.raises(ProbeError, match="dtype: it is half"):
        LogisticClassifier(dtype="half").fit(*classes)


def test_validation_scores_of_labels_equal_scikit_learns(labels):
    X, y = labels
    for fit in sweep(X[::2], y[::2], dtype="float32", tol=1e-6)[::3]:
        models = [reference(X[::2], y[::2, k], fit.C) for k in range(5)]
        centred = X[1::2] - X[::2].mean(axis=0)
        theirs = np.column_stack([model.predict_proba(centred)[:, 1] for model in models])
        scores = [average_precision_score(y[1::2], p) for p in (fit.predict_proba(X[1::2]), theirs)]
        assert scores[0] == pytest.approx(scores[1], abs=0.001)
