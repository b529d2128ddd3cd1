"""Networks side by side against networks alone, and against PyTorch's own layers and optimiser."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from featbank.probes.fitting import mlp_grid
from featbank.probes.fitting.mlp_classifier import MlpClassifier
from featbank.probes.fitting.mlp_grid import fit_networks, groups
from featbank.probes.fitting.mlp_loss import MlpLoss
from featbank.probes.fitting.mlp_networks import NetworkPlan, Networks
from featbank.probes.fitting.sgd import batches, cosine, few_threads, random_stream

QUICK = {"batch_size": 16, "epochs": 2, "min_steps": 40, "lr": 0.01}


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=90)
    return (rng.normal(size=(90, 5)) + y[:, None]).astype(np.float32), y


@pytest.fixture
def labels():
    return np.random.default_rng(1).integers(2, size=(90, 3))


def descend(X, y, loss, *, hidden, decay, seed):
    """The same descent by PyTorch's own layers, gradients and optimiser, without dropout."""
    network = nn.Sequential(nn.Linear(5, hidden), nn.GELU(), nn.Linear(hidden, 3))
    stream = random_stream(seed, "weights")
    with torch.no_grad():
        for layer in (network[0], network[2]):
            for tensor in (layer.weight, layer.bias):
                tensor.uniform_(-1, 1, generator=stream).div_(layer.in_features**0.5)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine(step, 40))
    inputs = torch.from_numpy(((X - X.mean(0)) / X.std(0)).astype(np.float32))
    order = batches(90, batch_size=16, steps=40, generator=random_stream(seed, "order"))
    with few_threads(0):
        for rows in order:
            optimizer.zero_grad()
            loss(network(inputs[rows]), torch.from_numpy(y)[rows]).backward()
            optimizer.step()
            schedule.step()
    return [tensor.detach().numpy() for tensor in network.parameters()]


def require_equal(probe, expected, atol=2e-5):
    for found, wanted in zip(probe.weights_.values(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=atol)


PLAIN = {"hidden": 8, "dropout": 0.0, "weight_decay": 0.1, "random_state": 3}


def test_one_class_a_sample_descends_as_pytorch_does(samples):
    probe = MlpClassifier(**QUICK | PLAIN).fit(*samples)
    require_equal(probe, descend(*samples, F.cross_entropy, hidden=8, decay=0.1, seed=3))


def test_several_labels_descend_as_pytorch_does(samples, labels):
    probe = MlpClassifier(**QUICK | PLAIN).fit(samples[0], labels)
    y = labels.astype(np.float32)
    loss = F.binary_cross_entropy_with_logits
    require_equal(probe, descend(samples[0], y, loss, hidden=8, decay=0.1, seed=3))


def test_every_network_of_a_batch_descends_as_pytorch_does(samples):
    sizes = [(8, 0.1, 3), (4, 0.0, 3), (8, 0.0, 3), (4, 0.5, 7), (8, 0.1, 7), (8, 0.1, 7)]
    probes = [
        MlpClassifier(**QUICK, dropout=0.0, hidden=h, weight_decay=d, random_state=s)
        for h, d, s in sizes
    ]
    for probe, (h, d, s) in zip(fit_networks(probes, *samples), sizes, strict=True):
        require_equal(probe, descend(*samples, F.cross_entropy, hidden=h, decay=d, seed=s))


def make_mixed():
    """Every kind of difference that candidates may have."""
    changes = [
        {"hidden": 4},
        {"hidden": 12, "dropout": 0.0},
        {"random_state": 1},
        {"hidden": 4, "random_state": 1, "lr": 0.05},
        {"weight_decay": 0.5},
        {"batch_size": 20},
        {"patience": 2, "validation_share": 0.3},
        {"patience": 2, "validation_share": 0.3, "random_state": 1},
        {"class_weight": "balanced"},
        {"focal": 2.0, "dropout": 0.8},
    ]
    return [MlpClassifier(**QUICK | {"hidden": 8, "dropout": 0.5} | change) for change in changes]


@pytest.mark.parametrize("bound", [10**9, 1])
@pytest.mark.parametrize("several", [False, True])
def test_networks_of_a_batch_are_those_trained_alone(samples, labels, several, bound, monkeypatch):
    monkeypatch.setattr(mlp_grid, "_GROUP_NUMBERS", bound)
    X, y = samples[0], labels if several else samples[1]
    for found, alone in zip(fit_networks(make_mixed(), X, y), make_mixed(), strict=True):
        alone.fit(X, y)
        require_equal(found, alone.weights_.values())
        assert (found.epochs_, found.best_epoch_) == (alone.epochs_, alone.best_epoch_)


def test_seeds_with_equal_widths_are_trained_side_by_side():
    probes = [MlpClassifier(hidden=h, random_state=s) for h in (8, 4) for s in (0, 1, 2)]
    assert sorted(map(sorted, groups(probes, (5, 3)))) == [[0, 1, 2, 3, 4, 5]]


def test_groups_stay_below_their_bound(monkeypatch):
    probes = [MlpClassifier(hidden=h, random_state=s) for h in (8, 4, 8) for s in (0, 1, 2)]
    size = mlp_grid._numbers(probes[0], (5, 3))
    monkeypatch.setattr(mlp_grid, "_GROUP_NUMBERS", 3 * size)
    found = groups(probes, (5, 3))
    assert sorted(i for group in found for i in group) == list(range(9))
    assert all(sum(mlp_grid._numbers(probes[i], (5, 3)) for i in g) <= 3 * size for g in found)


def test_half_precision_is_close_to_single():
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(1, 16, 5, generator=rng), torch.eye(3)[torch.arange(16)[None] % 3]
    plans = [[NetworkPlan(width=w, dropout=0.5, lr=0.1, weight_decay=0.0) for w in (4, 4, 8)]]
    options = {"shape": (5, 3), "place": torch.device("cpu")}
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        networks = Networks(plans, [0], dtype=dtype, **options)
        # The draws of a seed differ between dtypes: nothing is dropped here.
        networks.plans = [
            [NetworkPlan(width=w, dropout=0, lr=0, weight_decay=0) for w in (4, 4, 8)]
        ]
        networks.descend(x, y, MlpLoss(several=False))
        found.append(torch.cat([g.flatten() for g in networks.gradients]))
    assert torch.nn.functional.cosine_similarity(*found, dim=0) > 0.999
    assert found[1].dtype == torch.float32


def test_dropout_keeps_the_mean_of_what_it_lets_through():
    plans = [[NetworkPlan(width=400, dropout=0.8, lr=0.1, weight_decay=0.0)]]
    options = {"place": torch.device("cpu"), "dtype": torch.float32}
    factors = Networks(plans, [0], shape=(5, 3), **options)._dropout_factors(100)
    assert factors.unique().tolist() == [0.0, pytest.approx(5.0)]
    assert factors.mean() == pytest.approx(1, abs=0.05)


def test_networks_of_equal_width_drop_as_each_does_alone():
    options = {"shape": (5, 3), "place": torch.device("cpu"), "dtype": torch.float32}
    plans = [
        NetworkPlan(width=width, dropout=dropout, lr=0.1, weight_decay=0.0)
        for width, dropout in ((4, 0.2), (4, 0.0), (4, 0.5), (6, 0.5))
    ]
    together = Networks([plans, plans], [3, 4], **options)
    alone = [Networks([[plan]], [4], **options) for plan in plans]
    for _ in range(2):
        factors = together._dropout_factors(7)[1].split([4, 4, 4, 6], dim=1)
        for found, network in zip(factors, alone, strict=True):
            assert torch.equal(found, network._dropout_factors(7)[0])


PARTS = [(4, 0.5), (8, 0.2)]


def test_gradients_with_dropout_are_pytorchs():
    plans = [[NetworkPlan(width=w, dropout=p, lr=0, weight_decay=0) for w, p in PARTS]]
    options = {"shape": (5, 3), "place": torch.device("cpu"), "dtype": torch.float32}
    networks = Networks(plans, [0], **options)
    factors = Networks(plans, [0], **options)._dropout_factors(16)[0].split([4, 8], dim=1)
    x = torch.randn(1, 16, 5, generator=torch.Generator().manual_seed(0))
    y = torch.eye(3)[torch.arange(16)[None] % 3]
    networks.descend(x, y, MlpLoss(several=False))
    for c, kept in enumerate(factors):
        w1, b1, w2, b2 = (tensor.clone().requires_grad_() for tensor in networks.network(0, c))
        hidden = F.gelu(x[0] @ w1.T + b1) * kept
        F.cross_entropy(hidden @ w2.T + b2, y[0]).backward()
        for tensor, found in zip(
            (w1, b1, w2, b2), networks.network(0, c, networks.gradients), strict=True
        ):
            torch.testing.assert_close(found, tensor.grad)
