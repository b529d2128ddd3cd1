"""The MLP probe; what every probe promises is in the contract tests."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch import nn

from featbank.errors import ProbeError
from featbank.probes.fitting import mlp_classifier
from featbank.probes.fitting.held_out import held_out
from featbank.probes.fitting.mlp_classifier import MlpClassifier
from featbank.probes.fitting.sgd import random_stream

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
    monkeypatch.setattr(mlp_classifier, "_PREDICT_NUMBERS", 7 * 32)
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


def test_without_patience_all_passes_are_run(samples):
    probe = MlpClassifier(**OPTIONS).fit(*samples)
    # 150 steps of 64 among 200 samples: three a pass
    assert (probe.epochs_, probe.best_epoch_) == (50, 50)


@pytest.fixture
def noisy():
    """Labels that hang on nothing: what is learnt of them is wrong on other samples."""
    rng = np.random.default_rng(2)
    return rng.normal(size=(200, 20)), rng.integers(2, size=200)


def test_patience_stops_when_held_out_samples_get_worse(noisy):
    probe = MlpClassifier(**OPTIONS, patience=3, validation_share=0.3).fit(*noisy)
    assert probe.epochs_ == probe.best_epoch_ + 3 < 50


def test_patience_keeps_the_weights_of_the_lowest_held_out_loss(noisy):
    X, y = noisy
    codes = y.astype(np.int64)
    _, out = held_out(codes, share=0.3, generator=random_stream(0, "validation"))
    losses = []
    for patience in (3, 1000):
        probe = MlpClassifier(**OPTIONS, patience=patience, validation_share=0.3).fit(X, y)
        losses.append(log_loss(y[out], probe.predict_proba(X[out])))
    last = MlpClassifier(**OPTIONS).fit(X, y)
    assert losses[1] <= losses[0] < log_loss(y[out], np.full(len(out), 0.5)) + 0.05
    assert last.best_epoch_ > probe.best_epoch_


def test_held_out_samples_are_not_learnt(noisy):
    X, y = noisy
    _, out = held_out(y, share=0.3, generator=random_stream(0, "validation"))
    probe = MlpClassifier(**OPTIONS, patience=1000, validation_share=0.3).fit(X, y)
    moved = y.copy()
    moved[out] = 1 - moved[out]
    other = MlpClassifier(**OPTIONS, patience=1000, validation_share=0.3)
    assert probe.score(X[out], y[out]) < 0.8
    assert other.fit(X, moved).epochs_ == probe.epochs_


def test_balanced_classes_find_more_of_a_rare_one():
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.05).astype(int)
    X = rng.normal(size=(600, 3)) + y[:, None]
    plain, balanced = (
        MlpClassifier(**OPTIONS, class_weight=weight).fit(X, y).predict(X)[y == 1].mean()
        for weight in (None, "balanced")
    )
    assert balanced > plain + 0.2


def test_balanced_labels_find_more_of_a_rare_one():
    rng = np.random.default_rng(0)
    y = (rng.random((600, 2)) < (0.05, 0.5)).astype(int)
    X = rng.normal(size=(600, 2)) + y
    plain, balanced = (
        MlpClassifier(**OPTIONS, class_weight=weight).fit(X, y).predict(X)[y[:, 0] == 1, 0].mean()
        for weight in (None, "balanced")
    )
    assert balanced > plain + 0.2


def test_focal_loss_is_less_certain(samples):
    plain, focal = (
        MlpClassifier(**OPTIONS, focal=gamma).fit(*samples).predict_proba(samples[0]).max(axis=1)
        for gamma in (None, 2.0)
    )
    assert focal.mean() < plain.mean()


def test_a_set_too_small_to_hold_out_is_trained_whole(samples):
    probe = MlpClassifier(hidden=4, min_steps=5, patience=1).fit(samples[0][:3], [0, 1, 2])
    assert probe.epochs_ == 10


@pytest.mark.parametrize(
    ("name", "value"),
    [("hidden", 0), ("dropout", 1.0), ("patience", 0), ("validation_share", 1.0), ("focal", -1.0)],
)
def test_options_out_of_range_are_refused(samples, name, value):
    with pytest.raises(ProbeError, match=f"{name}: it.* is {value}; expected"):
        MlpClassifier(**{name: value}).fit(*samples)
