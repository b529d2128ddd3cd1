"""Linear heads trained in one pass against heads trained alone, and against PyTorch's layers."""

import numpy as np
import pytest
import torch
from torch import nn

from featbank.errors import ProbeError
from featbank.probes.fitting import linear_classifier
from featbank.probes.fitting.linear_classifier import LinearClassifier, fit_heads
from featbank.probes.fitting.linear_heads import joined
from featbank.probes.fitting.sgd import batches, cosine, few_threads, random_stream

QUICK = {"batch_size": 16, "min_steps": 40, "epochs": 2}
COLUMNS = [None, ((0, 2),), ((2, 6),), ((0, 2), (4, 6)), ((0, 2), (2, 4))]


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=90)
    return (rng.normal(size=(90, 6)) + y[:, None]).astype(np.float32), y


@pytest.fixture
def labels():
    return np.random.default_rng(1).integers(2, size=(90, 3))


def make_heads(**changes):
    sizes = [(lr, columns, seed) for lr in (0.01, 0.3) for columns in COLUMNS for seed in (0, 4)]
    return [
        LinearClassifier(**QUICK | changes, lr=lr, columns=columns, random_state=seed)
        for lr, columns, seed in sizes
    ]


@pytest.mark.parametrize("several", [False, True])
def test_heads_of_a_pass_are_those_trained_alone(samples, labels, several):
    X, y = samples[0], labels if several else samples[1]
    for head, alone in zip(fit_heads(make_heads(), X, y), make_heads(), strict=True):
        alone.fit(X, y)
        np.testing.assert_allclose(head.coef_, alone.coef_, atol=1e-5)
        np.testing.assert_allclose(head.predict_proba(X), alone.predict_proba(X), atol=1e-5)


def descend(head, X, y):
    """The same descent of one head by PyTorch's own layer, gradients and optimiser."""
    layer = nn.Linear(X.shape[1], 3)
    with torch.no_grad():
        stream = random_stream(head.random_state, "weights")
        layer.weight.copy_(0.01 * torch.randn(layer.weight.shape, generator=stream))
        layer.bias.zero_()
    optimizer = torch.optim.SGD(layer.parameters(), lr=head.lr * 16 / 256, momentum=0.9)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine(step, 40))
    stream = random_stream(head.random_state, "order")
    for rows in batches(90, batch_size=16, steps=40, generator=stream):
        optimizer.zero_grad()
        nn.functional.cross_entropy(layer(X[rows]), y[rows]).backward()
        optimizer.step()
        schedule.step()
    return layer.weight.detach(), layer.bias.detach()


def test_heads_of_a_pass_descend_as_pytorch_does(samples):
    X, y = (torch.from_numpy(part) for part in samples)
    kinds = [(0.3, None, 4), (0.01, ((0, 2), (4, 6)), 0), (0.3, ((0, 2), (4, 6)), 0)]
    heads = [LinearClassifier(r, columns=c, random_state=s, **QUICK) for r, c, s in kinds]
    for head in fit_heads(heads, *samples):
        seen = X if head.columns is None else torch.cat([X[:, a:b] for a, b in head.columns], 1)
        with few_threads(0):
            weights, biases = descend(head, seen, y)
        np.testing.assert_allclose(head.coef_, weights, atol=1e-5)
        np.testing.assert_allclose(head.intercept_, biases, atol=1e-5)


def test_a_head_of_some_columns_is_one_fitted_on_them_alone(samples):
    X, y = samples
    joint = LinearClassifier(**QUICK, columns=[[1, 3], [5, 6]]).fit(X, y)
    narrow = LinearClassifier(**QUICK).fit(X[:, [1, 2, 5]], y)
    np.testing.assert_allclose(joint.coef_, narrow.coef_, atol=1e-6)
    expected = narrow.predict_proba(X[:, [1, 2, 5]])
    np.testing.assert_allclose(joint.predict_proba(X), expected, atol=1e-6)


def test_a_head_that_runs_off_leaves_the_others_alone(samples):
    X, y = samples
    heads = [LinearClassifier(**QUICK, lr=lr) for lr in (0.01, 1e40, 0.1)]
    low, wild, high = fit_heads(heads, X, y)
    assert np.isnan(wild.predict_proba(X)).all()
    for head, lr in ((low, 0.01), (high, 0.1)):
        alone = LinearClassifier(**QUICK, lr=lr).fit(X, y)
        np.testing.assert_allclose(head.coef_, alone.coef_, atol=1e-6)


def test_heads_in_many_passes_are_those_of_one(samples, monkeypatch):
    expected = [head.coef_ for head in fit_heads(make_heads(), *samples)]
    monkeypatch.setattr(linear_classifier, "_GROUP_NUMBERS", 20)
    for head, coef in zip(fit_heads(make_heads(), *samples), expected, strict=True):
        np.testing.assert_allclose(head.coef_, coef, atol=1e-6)


def test_no_heads_are_fitted_quietly(samples):
    assert list(fit_heads([], *samples)) == []


@pytest.mark.parametrize("columns", [(), ((0, 7),), ((3, 3),), ((-1, 2),)])
def test_columns_that_are_not_there_are_refused(samples, columns):
    with pytest.raises(ProbeError, match="columns: .* not among the 6 feature columns; expected"):
        LinearClassifier(columns=columns, min_steps=2).fit(*samples)


def test_neighbouring_columns_are_one_view():
    assert joined(((4, 6), (6, 9), (1, 2))) == ((4, 9), (1, 2))


@pytest.mark.parametrize("n", [40, 90])
def test_dinov2s_heads_keep_their_batch_and_rate_on_a_small_set(samples, n):
    """Against PyTorch's own layer and optimiser, fed by an endless sampler."""
    X, y = (each[:n] for each in samples)
    batch, steps, lr = 64, 30, 0.1
    how = {"batch_size": batch, "steps": steps, "lr": lr, "across_passes": True}
    head = LinearClassifier(**how).fit(X, y)
    layer = nn.Linear(6, 3)
    with torch.no_grad():
        layer.weight.copy_(0.01 * torch.randn(3, 6, generator=random_stream(0, "weights")))
        layer.bias.zero_()
    optimiser = torch.optim.SGD(layer.parameters(), lr=lr * batch / 256, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=0)
    generator = random_stream(0, "order")
    stream = torch.cat([torch.randperm(n, generator=generator) for _ in range(60)])
    for step in range(steps):
        rows = stream[step * batch : (step + 1) * batch]
        loss = nn.functional.cross_entropy(
            layer(torch.from_numpy(X)[rows]), torch.from_numpy(y)[rows]
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    np.testing.assert_allclose(head.coef_, layer.weight.detach(), atol=1e-5)
