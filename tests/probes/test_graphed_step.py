"""A step on the CPU is a call, and fits there end as the same loop written out by hand."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from featbank.probes import PROBES
from featbank.probes.fitting import graphed_step
from featbank.probes.fitting.device import computing_on
from featbank.probes.fitting.graphed_step import GraphedStep, StepInputs
from featbank.probes.fitting.linear_heads import INIT_STD, MOMENTUM, descend
from featbank.probes.fitting.mlp_loss import MlpLoss
from featbank.probes.fitting.mlp_networks import NetworkPlan, Networks
from featbank.probes.fitting.mlp_training import TrainingLength, TrainingSamples, train
from featbank.probes.fitting.sgd import Batching, batches, cosine, few_threads, random_stream

CPU = torch.device("cpu")
N, DIM, K, STEPS, BATCH = 90, 5, 3, 70, 16


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    codes = rng.integers(K, size=N)
    return torch.from_numpy((rng.normal(size=(N, DIM)) + codes[:, None]).astype(np.float32)), codes


def test_on_the_cpu_each_call_is_the_step():
    called = []
    graphed = GraphedStep(lambda: called.append(len(called)), steps=100, place=CPU)
    for _ in range(100):
        graphed()
    assert called == list(range(100))


def test_on_the_cpu_a_step_reads_the_very_rows_and_the_number():
    inputs, rows = StepInputs(10, CPU), torch.arange(4)
    inputs.set(3, rows)
    assert inputs.rows is rows
    assert inputs.share == cosine(3, 10)


def by_hand(X, codes, plans, loss):
    """Networks of seed 2 by plain AdamW with rates that are numbers."""
    networks = Networks([plans], [2], shape=(DIM, K), place=CPU, dtype=torch.float32)
    groups = []
    for c, plan in enumerate(plans):
        views = networks.network(0, c)
        for view, gradient in zip(views, networks.network(0, c, networks.gradients), strict=True):
            view.grad = gradient
        groups.append({"params": list(views), "lr": plan.lr, "weight_decay": plan.weight_decay})
    adamw = torch.optim.AdamW(groups, fused=True)
    order = batches(N, batch_size=BATCH, steps=STEPS, generator=random_stream(2, "order"))
    with few_threads(0):
        for step, rows in enumerate(order):
            targets = F.one_hot(torch.from_numpy(codes)[rows], K).float()
            networks.descend(X[rows][None], targets[None], loss)
            for group, plan in zip(adamw.param_groups, plans, strict=True):
                group["lr"] = plan.lr * cosine(step, STEPS)
            adamw.step()
    return [networks.network(0, c) for c in range(len(plans))]


def test_networks_end_bit_for_bit_as_by_plain_adamw(samples):
    X, codes = samples
    plans = [
        NetworkPlan(width=width, dropout=dropout, lr=lr, weight_decay=0.1)
        for width, dropout, lr in ((4, 0.0, 0.01), (4, 0.5, 0.01), (6, 0.2, 0.1))
    ]
    loss = MlpLoss(several=False)
    passes = TrainingLength(
        batch_size=BATCH, epochs=0, min_steps=STEPS, patience=None, validation_share=0.1
    )
    with computing_on("cpu"):
        (found,) = train([plans], [2], TrainingSamples(X, codes, K), loss, passes)
    for network, expected in zip(found, by_hand(X, codes, plans, loss), strict=True):
        for a, b in zip(network.weights, expected, strict=True):
            assert torch.equal(a, b)


def test_a_linear_head_ends_bit_for_bit_as_by_plain_momentum(samples):
    X, codes = samples
    with computing_on("cpu"):
        found = descend(
            X, torch.from_numpy(codes), {((0, DIM),): [0.5]}, n_classes=K,
            batching=Batching(size=BATCH, steps=STEPS), seed=2,
        )  # fmt: skip
    weights = INIT_STD * torch.randn(K, DIM, generator=random_stream(2, "weights"))
    biases, rates = torch.zeros(K), torch.full((K,), 0.5 * BATCH / 256)
    momenta = torch.zeros_like(weights), torch.zeros_like(biases)
    order = batches(N, batch_size=BATCH, steps=STEPS, generator=random_stream(2, "order"))
    for step, rows in enumerate(order):
        p = F.linear(X[rows], weights, biases).softmax(dim=1)
        error = p.sub_(F.one_hot(torch.from_numpy(codes)[rows], K)).div_(BATCH)
        momenta[0].addmm_(error.T, X[rows], beta=MOMENTUM)
        momenta[1].mul_(MOMENTUM).add_(error.sum(dim=0))
        weights.addcmul_(momenta[0], rates[:, None], value=-cosine(step, STEPS))
        biases.addcmul_(momenta[1], rates, value=-cosine(step, STEPS))
    ((found_weights, found_biases),) = found[((0, DIM),)]
    assert torch.equal(found_weights, weights)
    assert torch.equal(found_biases, biases)


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_on_a_gpu_a_replayed_fit_ends_as_one_that_is_not(name, samples, monkeypatch):
    X, codes = samples
    params = {**PROBES[name].defaults, "min_steps": 300}

    def weights():
        with computing_on("cuda"):
            (found,) = PROBES[name].fit_grid([(params, 0)], X.numpy(), codes)
        return [found.coef_] if name == "linear" else list(found.weights_.values())

    found = weights()
    assert not graphed_step._failed
    monkeypatch.setattr(graphed_step, "LEAST_REPLAYS", 10**9)
    for a, b in zip(found, weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
