"""Logistic regression as torchgeo-bench descends: where it stops, not at the optimum."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from featbank.errors import ProbeError
from featbank.probes.fitting.logistic_classifier import LogisticClassifier

N, D = 200, 12


def made(classes, seed=0):
    """Features of unequal scales, and classes or, of 0, four labels that they tell in part."""
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(N, D)) * np.geomspace(0.1, 10, D)).astype(np.float32)
    scores = X @ rng.normal(size=(D, classes or 4)) / 10 + rng.normal(size=(N, classes or 4))
    return X, (scores > 0.5).astype(np.int8) if classes == 0 else scores.argmax(axis=1)


def as_torchgeo_bench_states(X, y, C, n_classes, max_iter=2000):
    """Its objective and settings, on a linear layer of PyTorch: weights, intercepts, steps."""
    several = y.ndim == 2
    layer = torch.nn.Linear(D, n_classes)
    for parameter in layer.parameters():
        torch.nn.init.zeros_(parameter)
    loss = torch.nn.BCEWithLogitsLoss() if several else torch.nn.CrossEntropyLoss()
    x, t = torch.from_numpy(X), torch.from_numpy(y).to(torch.float32 if several else torch.int64)
    solver = torch.optim.LBFGS(
        layer.parameters(),
        lr=1.0,
        max_iter=max_iter,
        history_size=10,
        line_search_fn="strong_wolfe",
        tolerance_grad=1e-7,
        tolerance_change=1e-6 * 0.1,
    )

    def closure():
        solver.zero_grad()
        size = N * n_classes if several else N
        value = loss(layer(x), t) + 0.5 / C / size * (layer.weight**2).sum()
        value.backward()
        return value

    solver.step(closure)
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


@pytest.mark.parametrize("classes", [0, 2, 5])
@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3])
def test_weights_are_those_where_the_source_stops(classes, C):
    X, y = made(classes)
    found = LogisticClassifier(C=C, solver="lbfgs", max_iter=2000, tol=1e-7).fit(X, y)
    coef, intercept = as_torchgeo_bench_states(X, y, C, classes or 4)
    np.testing.assert_allclose(found.coef_, coef, rtol=1e-3, atol=1e-4 * np.abs(coef).max())
    np.testing.assert_allclose(found.intercept_, intercept, rtol=1e-3, atol=1e-3)


def test_of_weak_penalties_that_is_not_the_optimum():
    X, y = made(5)
    stopped = LogisticClassifier(C=1e3, solver="lbfgs", max_iter=2000, tol=1e-5).fit(X, y)
    optimum = LogisticClassifier(C=1e3, tol=1e-7).fit(X, y)
    reference = LogisticRegression(C=1e3, tol=1e-8, max_iter=5000).fit(X.astype(np.float64), y)
    far = np.abs(stopped.predict_proba(X) - reference.predict_proba(X)).max()
    near = np.abs(optimum.predict_proba(X) - reference.predict_proba(X)).max()
    assert near < 1e-4 < far


def test_each_of_two_classes_has_weights_of_its_own():
    X, y = made(2)
    found = LogisticClassifier(solver="lbfgs", tol=1e-7).fit(X, y)
    assert found.coef_.shape == (2, D)
    np.testing.assert_allclose(found.coef_[0], -found.coef_[1], atol=1e-5)
    np.testing.assert_allclose(found.predict_proba(X).sum(axis=1), 1)


def test_a_label_that_none_bears_is_fitted_too():
    X, y = made(0)
    y[:, 1] = 0
    found = LogisticClassifier(solver="lbfgs", tol=1e-7).fit(X, y)
    assert np.isfinite(found.intercept_).all()
    assert 0 < found.predict_proba(X)[:, 1].max() < 0.05


def test_too_few_steps_are_recorded():
    X, y = made(5)
    assert not LogisticClassifier(solver="lbfgs", max_iter=2, tol=1e-7).fit(X, y).converged_
    assert LogisticClassifier(solver="lbfgs", max_iter=2000, tol=1e-7).fit(X, y).converged_


def test_a_solver_of_no_name_is_refused():
    with pytest.raises(ProbeError, match="solver: it is adam; expected optimum or lbfgs"):
        LogisticClassifier(solver="adam").fit(*made(5))
