import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from featbank.layers.projection_head import ProjectionHead


@pytest.fixture
def head():
    made = ProjectionHead(6, 9, hidden=7, bottleneck=4)
    made.start(3)
    return made


def some(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_the_head_agrees_with_upstream(shared):
    golden = load_file(shared / "golden" / "losses.safetensors")
    start = "head.state."
    state = {k.removeprefix(start): v for k, v in golden.items() if k.startswith(start)}
    head = ProjectionHead(24, 32, hidden=40, bottleneck=16)
    head.load_state_dict(state)
    assert torch.allclose(head(golden["head.input"]), golden["head.output"], atol=1e-5)


def test_the_head_equals_a_plain_reference(head):
    with torch.no_grad():
        head.last_layer.weight_g.copy_(torch.linspace(0.5, 2, 9).unsqueeze(1))
        for layer in head.mlp[::2]:
            layer.bias.copy_(torch.linspace(-1, 1, len(layer.bias)))
    state = {name: value.double().numpy() for name, value in head.state_dict().items()}
    x = some(6).double().numpy()
    erf = np.vectorize(math.erf)
    for index in (0, 2, 4):
        x = state[f"mlp.{index}.weight"] @ x + state[f"mlp.{index}.bias"]
        x = x if index == 4 else x * 0.5 * (1 + erf(x / math.sqrt(2)))
    x /= np.linalg.norm(x)
    rows = state["last_layer.weight_v"]
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True) * state["last_layer.weight_g"]
    with torch.no_grad():
        assert np.allclose(head(some(1, 6).reshape(1, 6)), rows @ x, atol=1e-5)


def test_scores_are_cosines_at_first(head):
    assert head(some(50, 6)).abs().max() <= 1 + 1e-6


def test_a_seed_gives_the_same_first_weights(head):
    twin = ProjectionHead(6, 9, hidden=7, bottleneck=4)
    twin.start(3)
    assert all(torch.equal(a, b) for a, b in zip(head.parameters(), twin.parameters(), strict=True))


def test_first_weights_are_spread_as_upstream():
    head = ProjectionHead(300, 500, hidden=400, bottleneck=100)
    head.start(0)
    assert float(head.mlp[0].weight.detach().std()) == pytest.approx(0.02, rel=0.02)
    assert float(head.last_layer.weight_v.detach().abs().max()) == pytest.approx(0.1, rel=0.01)


def test_no_rows_leave_gradients_at_zero(head):
    head(torch.empty(0, 6)).sum().backward()
    assert all(p.grad is not None and not p.grad.any() for p in head.parameters())
