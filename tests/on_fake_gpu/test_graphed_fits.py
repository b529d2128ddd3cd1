"""Fits on the device whose step is replayed end as those whose step is not."""

import itertools
from itertools import cycle
from unittest import mock

import numpy as np
import pytest
import torch
from fake_gpu import cuda
from fake_gpu.tracing import traced

from featbank.errors import FeatbankWarning
from featbank.probes import PROBES
from featbank.probes.fitting import graphed_step
from featbank.probes.fitting.device import computing_on
from featbank.probes.fitting.graphed_step import EAGER_STEPS, StepInputs
from featbank.probes.fitting.mlp_networks import Networks
from featbank.probes.fitting.mlp_optimizer import NetworksOptimizer
from featbank.probes.fitting.sgd import cosine

N, DIM, K, STEPS = 300, 16, 4, 16
# Fewer than pay: whatever is said of them here holds of more.
LEAST_REPLAYS = 10
MLP = {**PROBES["mlp"].defaults, "hidden": 8, "min_steps": STEPS, "epochs": 1, "batch_size": 32}
LINEAR = {**PROBES["linear"].defaults, "steps": STEPS, "batch_size": 32}
WIDTHS, DROPOUTS = (6, 8), (0.0, 0.5)


def grid(**options):
    """Options of many by many, with two seeds."""
    made = itertools.product(*options.values())
    named = [dict(zip(options, values, strict=True)) for values in made]
    return [({**MLP, **each}, seed) for seed in (0, 1) for each in named]


def heads(**more):
    columns = (((0, 8),), ((0, 16),), ((0, 4), (10, 14)))
    return [
        ({**LINEAR, "columns": seen, "lr": lr, **more}, 0) for seen in columns for lr in (0.1, 1.0)
    ]


FITS = {
    "plain": ("mlp", [(MLP, 0)]),
    "focal": ("mlp", [({**MLP, "focal": 2.0}, 0)]),
    "class weights": ("mlp", [({**MLP, "class_weight": "balanced"}, 0)]),
    "seeds and widths": ("mlp", grid(hidden=WIDTHS, dropout=DROPOUTS)),
    "differing rates": ("mlp", grid(lr=(0.001, 0.01), weight_decay=(0.01, 0.1))),
    "patience": ("mlp", grid(lr=(0.01, 0.1), patience=(2,), epochs=(12,))),
    "heads": ("linear", heads()),
    "heads across passes": ("linear", heads(across_passes=True, batch_size=400)),
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_failed(monkeypatch):
    monkeypatch.setattr(graphed_step, "_failed", [])
    monkeypatch.setattr(graphed_step, "LEAST_REPLAYS", LEAST_REPLAYS)


def fitted(name, several, place="cuda"):
    """Weights of each network or head, one after the other, and what else a fit tells."""
    rng = np.random.default_rng(0)
    codes = rng.integers(K, size=N)
    X = (rng.normal(size=(N, DIM)) + np.eye(K, DIM)[codes]).astype(np.float32)
    labels = (np.eye(K)[codes] + (rng.uniform(size=(N, K)) < 0.2) > 0).astype(np.int8)
    probe, candidates = FITS[name]
    with computing_on(place):
        found = list(PROBES[probe].fit_grid(candidates, X, labels if several else codes))
    if probe == "linear":
        return [(each.coef_, each.intercept_) for each in found], []
    return [tuple(each.weights_.values()) for each in found], [
        (each.epochs_, each.best_epoch_) for each in found
    ]


def without_graph():
    return mock.patch.object(graphed_step, "LEAST_REPLAYS", 10**9)


def require_same(name, several):
    with without_graph():
        expected, passes = fitted(name, several)
    with traced() as trace:
        found, same = fitted(name, several)
    assert trace.kernels["CUDAGraph.replay"] >= LEAST_REPLAYS
    assert same == passes
    for mine, other in zip(found, expected, strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("name", FITS)
def test_a_replayed_fit_ends_with_the_very_numbers_of_one_that_is_not(name, several):
    require_same(name, several)


# Of one label and several, since of both a fit that is not replayed ends with the same numbers.
@pytest.mark.parametrize(("name", "several"), list(zip(FITS, cycle([False, True]))))
def test_a_replayed_fit_ends_as_on_the_cpu(name, several):
    (found, same), (expected, passes) = (fitted(name, several, at) for at in ("cuda", "cpu"))
    assert same == passes
    for mine, other in zip(found, expected, strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def launches(name, monkeypatch):
    """Of one more step."""
    probe, candidates = FITS[name]
    counts = []
    for steps in (STEPS, STEPS + 1):
        key = "steps" if probe == "linear" else "min_steps"
        more = [({**each, key: steps}, seed) for each, seed in candidates]
        monkeypatch.setitem(FITS, "counted", (probe, more))
        with traced() as trace:
            fitted("counted", several=False)
        counts.append(trace.n_kernels)
    return counts[1] - counts[0]


# The rows of the networks' seeds are put together and looked up, then rows and share are copied.
@pytest.mark.parametrize(
    ("name", "expected"),
    [("plain", 5 + 2), ("seeds and widths", 5 + 2 * 2 * len(WIDTHS)), ("heads", 3)],
)
def test_a_step_is_a_handful_of_launches(name, expected, monkeypatch):
    with without_graph():
        eager = launches(name, monkeypatch)
    assert launches(name, monkeypatch) == expected
    assert eager > 4 * expected


def lengthened(steps, monkeypatch):
    monkeypatch.setitem(FITS, "of some steps", ("mlp", [({**MLP, "min_steps": steps}, 0)]))
    with traced() as trace:
        fitted("of some steps", several=False)
    return trace


def test_a_short_fit_is_not_captured(monkeypatch):
    steps = EAGER_STEPS + LEAST_REPLAYS
    assert "CUDAGraph.replay" not in lengthened(steps - 1, monkeypatch).kernels
    assert lengthened(steps, monkeypatch).kernels["CUDAGraph.replay"] == LEAST_REPLAYS


def test_eager_steps_stand_in_line_with_what_is_before_and_after(monkeypatch):
    orders = lengthened(STEPS, monkeypatch).orders
    side = orders[0][0]
    assert side != cuda.DEFAULT.name
    assert orders == [(side, cuda.DEFAULT.name), (cuda.DEFAULT.name, side)] * EAGER_STEPS


def spoiling(real):
    """A step that waits for the device, which may be, but not in a capture."""

    def descend(self, *told):
        real(self, *told)
        torch.cuda.current_stream().synchronize()

    return descend


def half(real):
    """A step that a capture does not get through, without anything that spoils it."""

    def step(self, share):
        if torch.cuda.is_current_stream_capturing():
            raise RuntimeError("no kernel of this")
        real(self, share)

    return step


BROKEN = {
    "spoilt": lambda: mock.patch.object(Networks, "descend", spoiling(Networks.descend)),
    "left": lambda: mock.patch.object(NetworksOptimizer, "step", half(NetworksOptimizer.step)),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_fit_whose_capture_fails_goes_on_and_says_so_once(how):
    name = "seeds and widths"
    with without_graph():
        expected = fitted(name, several=False)
    with BROKEN[how]():
        with pytest.warns(FeatbankWarning, match="no CUDA graph of a training step") as said:
            found = fitted(name, several=False)
        again = fitted(name, several=False)
    assert len(said) == 1
    assert torch.cuda.current_stream() is cuda.DEFAULT
    for each in (found, again):
        np.testing.assert_equal(each, expected)


def test_a_device_without_the_memory_says_so():
    def full(self, share):
        if torch.cuda.is_current_stream_capturing():
            raise torch.OutOfMemoryError("CUDA out of memory.")

    with (
        mock.patch.object(NetworksOptimizer, "step", full),
        pytest.raises(torch.OutOfMemoryError),
    ):
        fitted("plain", several=False)


def rebound(name):
    """Inputs of which one is a new tensor at each step, as it may be on the CPU."""
    real = StepInputs.set

    def set_anew(self, step, rows):
        real(self, step, rows)
        setattr(self, name, getattr(self, name).clone())

    return mock.patch.object(StepInputs, "set", set_anew)


def replacing():
    """An optimizer that puts new weights in the place of the old ones."""
    real = NetworksOptimizer.__init__

    def keep(self, networks):
        real(self, networks)
        self.networks = networks

    def step(self, share):
        for i, gradient in enumerate(self.networks.gradients):
            self.networks.parameters[i] = self.networks.parameters[i] - 0.01 * gradient

    return mock.patch.multiple(NetworksOptimizer, __init__=keep, step=step)


def counting():
    """Rates that are numbers of the host."""

    def step(self, share):
        self.step_number = getattr(self, "step_number", -1) + 1
        for group, rate in zip(self._adamw.param_groups, self._first_rates, strict=True):
            group["lr"] = rate * cosine(self.step_number, STEPS)
        self._adamw.step()

    return mock.patch.object(NetworksOptimizer, "step", step)


FAULTS = {
    "a new share": lambda: rebound("share"),
    "new rows": lambda: rebound("rows"),
    "rates that the host knows": counting,
    "a generator that is not registered": lambda: mock.patch.object(
        Networks, "dropout_streams", []
    ),
    "weights replaced": replacing,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_step_is_seen(fault):
    with FAULTS[fault](), pytest.raises((AssertionError, FeatbankWarning)):
        require_same("seeds and widths", several=False)


def test_other_threads_may_use_the_device_while_a_step_is_captured(monkeypatch):
    modes, real = [], torch.cuda.CUDAGraph.capture_begin

    def begin(self, *given, **told):
        real(self, *given, **told)
        modes.append(self.error_mode)

    monkeypatch.setattr(torch.cuda.CUDAGraph, "capture_begin", begin)
    fitted(next(iter(FITS)), several=False)
    assert set(modes) == {"thread_local"}
