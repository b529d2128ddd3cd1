"""Probes compute on the device that is asked for, and agree as far as they state."""

import numpy as np
import pytest
import torch

from featbank.probes import PROBES
from featbank.probes.fitting.device import computing_on, device, device_name
from featbank.probes.fitting.mlp_training import product_dtype
from featbank.probes.fitting.sweep import Labelled, fitted, predict

N, DIM, K = 600, 32, 4
QUICK = {"forest": {"trees": 20}, "linear": {"min_steps": 300}, "mlp": {"min_steps": 150}}


def made(several):
    rng = np.random.default_rng(0)
    codes = rng.integers(K, size=N)
    features = rng.normal(size=(N, DIM)) + 3 * np.eye(K, DIM)[codes]
    labels = (np.eye(K)[codes] + (rng.uniform(size=(N, K)) < 0.1) > 0).astype(np.int8)
    return Labelled(
        features=features.astype(np.float32), labels=labels if several else codes, n_classes=K
    )


def scores_on(place, spec, several):
    data = made(several)
    params = {**spec.defaults, **QUICK.get(spec.name, {})}
    with computing_on(place):
        (classifier,) = fitted(spec, [(params, 0)], data)
        return predict(classifier, data.features, data)


def agree(spec, several, places):
    """Share of samples, or of samples and labels, that both places decide for alike."""
    one, other = (scores_on(place, spec, several) for place in places)
    if spec.agreement == 1:
        np.testing.assert_array_equal(one, other)
    if several:
        return ((one >= 0.5) == (other >= 0.5)).mean()
    return (one.argmax(axis=1) == other.argmax(axis=1)).mean()


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("name", PROBES)
def test_one_device_gives_one_number(name, several):
    assert agree(PROBES[name], several, ("cpu", "cpu")) == 1


@pytest.mark.gpu
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("name", PROBES)
def test_cpu_and_gpu_agree_as_far_as_the_probe_states(name, several):
    assert agree(PROBES[name], several, ("cpu", "cuda")) >= PROBES[name].agreement


def test_the_device_is_the_one_asked_for(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    with computing_on("cpu"):
        assert (device_name(), device()) == ("cpu", torch.device("cpu"))
    assert (device_name(), device()) == ("auto", torch.device("cuda"))


@pytest.mark.parametrize("name", [n for n, spec in PROBES.items() if "cuda" in spec.devices])
def test_probes_that_can_look_for_the_device_that_is_asked_for(name, monkeypatch):
    looked = []
    monkeypatch.setattr("torch.cuda.is_available", lambda: looked.append(1) or False)
    scores_on("cpu", PROBES[name], False)
    assert not looked


def test_the_arithmetic_is_told_by_probe_device_and_size():
    def told(name, place, dim=768, **params):
        return PROBES[name].dtype({**PROBES[name].defaults, **params}, place, dim)

    assert [told(name, "cpu") for name in ("knn", "forest")] == ["float64", "float64"]
    assert told("logistic", "cuda", dtype="float64") == "float64"
    assert (told("linear", "cuda"), told("mlp", "cpu")) == ("float32", "float32")
    assert (told("mlp", "cuda"), told("mlp", "cuda", dim=8)) == ("bfloat16", "float32")
    assert product_dtype("cuda", 256 * 768) == torch.bfloat16
