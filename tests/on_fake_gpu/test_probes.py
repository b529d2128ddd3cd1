"""Probes on the device decide as on the CPU, and no step of a fit waits or copies."""

import numpy as np
import pytest
from fake_gpu.tracing import traced

from featbank.probes import PROBES
from featbank.probes.fitting.device import computing_on
from featbank.probes.fitting.sweep import Labelled, fitted, predict

N, DIM, K = 300, 16, 4
SHORT = {
    "linear": {"steps": 40, "batch_size": 32},
    "mlp": {"min_steps": 40, "epochs": 1, "batch_size": 32},
    "logistic": {},
    "knn": {},
}


def made(several):
    rng = np.random.default_rng(0)
    codes = rng.integers(K, size=N)
    features = (rng.normal(size=(N, DIM)) + 3 * np.eye(K, DIM)[codes]).astype(np.float32)
    labels = (np.eye(K)[codes] + (rng.uniform(size=(N, K)) < 0.1) > 0).astype(np.int8)
    return Labelled(features=features, labels=labels if several else codes, n_classes=K)


def fit(name, several, place, **more):
    data, spec = made(several), PROBES[name]
    with computing_on(place):
        (found,) = fitted(spec, [({**spec.defaults, **SHORT[name], **more}, 0)], data)
    return found, data


def scores(name, several, place, **more):
    found, data = fit(name, several, place, **more)
    with computing_on(place):
        return predict(found, data.features, data)


WAYS = [("linear", {}), ("mlp", {"dropout": 0.0}), ("logistic", {}), ("knn", {}),
        ("logistic", {"solver": "lbfgs"})]  # fmt: skip


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(("name", "more"), WAYS)
def test_decisions_are_those_of_the_cpu(name, more, several):
    found, expected = (scores(name, several, place, **more) for place in ("cuda", "cpu"))
    np.testing.assert_allclose(found, expected, atol=1e-3)
    if several:
        np.testing.assert_array_equal(found >= 0.5, expected >= 0.5)
    else:
        np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))


def traced_fit(name, several, **more):
    with traced() as trace:
        fit(name, several, "cuda", **more)
    return trace


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_more_steps_wait_and_block_no_more(name, several):
    few, many = (
        traced_fit(name, several, **{"steps" if name == "linear" else "min_steps": steps})
        for steps in (60, 120)
    )
    passes = 0 if name == "linear" else 12
    # PyTorch waits for the device before it captures a step, once a fit.
    assert few.waits == many.waits == ["torch.cuda.synchronize"]
    assert len(many.blocking) - len(few.blocking) <= passes
    assert many.n_kernels > few.n_kernels


@pytest.mark.parametrize("several", [False, True])
def test_a_logistic_fit_asks_a_few_things_a_gradient(several):
    trace = traced_fit("logistic", several)
    gradients = fit("logistic", several, "cuda")[0].n_iter_
    # Whether a problem is solved, once a gradient; which, where one is.
    assert len(trace.waits) <= 2 * np.max(gradients) + 10
    assert len(trace.blocking) <= 10
