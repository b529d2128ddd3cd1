"""The MLP probe; what every probe promises is in the contract tests."""

import numpy as np
import pytest
import torch
from torch import nn

from featbank.probes import _mlp_classifier
from featbank.probes._mlp_classifier import MlpClassifier

OPTIONS = {"hidden": 32, "min_steps": 150, "batch_size": 64}


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def test_what_no_line_divides_is_learnt(samples):
    probe = MlpClassifier(**OPTIONS | {"lr": 0.02, "min_steps": 400})
    assert probe.fit(*samples).score(*samples) > 0.9


def test_scales_and_offsets_of_features_hardly_matter(samples):
    X, y = samples
    plain = MlpClassifier(**OPTIONS).fit(X, y).predict_proba(X)
    moved = X * [1, 100, 0.01, 5] + [0, 3, -7, 1000]
    found = MlpClassifier(**OPTIONS).fit(moved, y).predict_proba(moved)
    np.testing.assert_allclose(found, plain, atol=0.02)


def test_a_constant_feature_is_harmless(samples):
    X, y = samples
    X[:, 3] = 7.0
    assert np.isfinite(MlpClassifier(**OPTIONS).fit(X, y).predict_proba(X)).all()


def test_probabilities_are_those_of_the_network(samples):
    X, y = samples
    probe = MlpClassifier(**OPTIONS).fit(X, y)
    network = nn.Sequential(nn.Linear(4, 32), nn.GELU(), nn.Dropout(0.5), nn.Linear(32, 2)).eval()
    network.load_state_dict({name: torch.from_numpy(w) for name, w in probe.weights_.items()})
    inputs = torch.from_numpy(((X - probe.mean_) / probe.scale_).astype(np.float32))
    expected = network(inputs).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(probe.predict_proba(X), expected, atol=1e-5)


def test_blocks_do_not_change_probabilities(samples, monkeypatch):
    probe = MlpClassifier(**OPTIONS).fit(*samples)
    whole = probe.predict_proba(samples[0])
    monkeypatch.setattr(_mlp_classifier, "_PREDICT_NUMBERS", 7 * 32)
    np.testing.assert_allclose(probe.predict_proba(samples[0]), whole, atol=1e-12)


def test_a_fit_leaves_the_global_seed_alone(samples):
    torch.manual_seed(5)
    MlpClassifier(hidden=4, min_steps=2).fit(*samples)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.rand(1) == after


def test_another_seed_gives_another_network(samples):
    first, second = (
        MlpClassifier(hidden=4, min_steps=2, random_state=seed).fit(*samples).predict_proba(X)
        for seed in (0, 1)
        for X in samples[:1]
    )
    assert (first != second).any()
