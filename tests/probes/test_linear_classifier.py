"""The linear probe; what every probe promises is in the contract tests."""

import numpy as np
import pytest
import torch
from torch import nn

from featbank.probes import PROBES
from featbank.probes.fitting import linear_classifier
from featbank.probes.fitting.linear_classifier import LinearClassifier
from featbank.probes.fitting.sgd import batches, cosine, random_stream

OPTIONS = {"lr": 0.3, "batch_size": 16, "epochs": 2, "min_steps": 25, "random_state": 3}


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=90)
    return (rng.normal(size=(90, 4)) + y[:, None]).astype(np.float32), y


@pytest.fixture
def labels():
    return np.random.default_rng(1).integers(2, size=(90, 3))


def descend(X, targets, loss):
    """The same descent by PyTorch's own optimiser and gradients."""
    layer = nn.Linear(4, 3)
    with torch.no_grad():
        layer.weight.copy_(0.01 * torch.randn(3, 4, generator=random_stream(3, "weights")))
        layer.bias.zero_()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.3 * 16 / 256, momentum=0.9)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine(step, 25))
    order = random_stream(3, "order")
    for rows in batches(90, batch_size=16, steps=25, generator=order):
        optimizer.zero_grad()
        loss(layer(torch.from_numpy(X)[rows]), torch.from_numpy(targets)[rows]).backward()
        optimizer.step()
        schedule.step()
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


def test_one_class_a_sample_descends_as_pytorch_does(samples):
    ours = LinearClassifier(**OPTIONS).fit(*samples)
    weight, bias = descend(*samples, nn.CrossEntropyLoss())
    np.testing.assert_allclose(ours.coef_, weight, atol=1e-5)
    np.testing.assert_allclose(ours.intercept_, bias, atol=1e-5)


def test_several_labels_descend_as_pytorch_does(samples, labels):
    ours = LinearClassifier(**OPTIONS).fit(samples[0], labels)
    loss = nn.BCEWithLogitsLoss(reduction="sum")
    weight, bias = descend(samples[0], labels.astype(np.float32), lambda z, t: loss(z, t) / 16)
    np.testing.assert_allclose(ours.coef_, weight, atol=1e-5)
    np.testing.assert_allclose(ours.intercept_, bias, atol=1e-5)


def test_another_seed_gives_other_weights(samples):
    first, second = (
        LinearClassifier(random_state=seed, min_steps=20).fit(*samples) for seed in (0, 1)
    )
    assert (first.coef_ != second.coef_).any()


@pytest.mark.parametrize("several", [False, True])
def test_a_rate_too_high_gives_no_number(samples, labels, several):
    y = labels if several else samples[1]
    wild = LinearClassifier(lr=1e30, min_steps=50).fit(1e8 * samples[0], y)
    assert np.isnan(wild.predict_proba(samples[0])).all()


def test_a_small_set_takes_the_rate_of_its_batch(samples):
    whole = LinearClassifier(batch_size=90, min_steps=30).fit(*samples)
    larger = LinearClassifier(batch_size=256, min_steps=30).fit(*samples)
    np.testing.assert_array_equal(whole.coef_, larger.coef_)


def test_steps_override_passes(samples):
    fixed = LinearClassifier(steps=7, epochs=3, min_steps=900).fit(*samples)
    least = LinearClassifier(epochs=1, min_steps=7).fit(*samples)
    np.testing.assert_array_equal(fixed.coef_, least.coef_)


def test_blocks_do_not_change_probabilities(samples, monkeypatch):
    probe = LinearClassifier(min_steps=20, columns=((1, 3),)).fit(*samples)
    whole = probe.predict_proba(samples[0])
    monkeypatch.setattr(linear_classifier, "_PREDICT_NUMBERS", 7 * 4)
    np.testing.assert_allclose(probe.predict_proba(samples[0]), whole, atol=1e-12)


def test_features_that_may_not_be_written_are_taken_quietly(samples):
    samples[0].setflags(write=False)
    torch.set_warn_always(True)
    try:
        LinearClassifier(min_steps=2).fit(*samples)
    finally:
        torch.set_warn_always(False)


def test_rates_are_those_of_dinov2():
    rates = [member["lr"] for member in PROBES["linear"].grid]
    mantissas = [float(f"{digit}e{power}") for power in range(-5, -1) for digit in (1, 2, 5)]
    assert rates == [*mantissas, 0.1]
