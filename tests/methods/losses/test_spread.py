import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from featbank.methods.losses.spread import spread_loss


def some(rows, dim, seed=0):
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))


def test_the_loss_agrees_with_upstream(shared):
    golden = load_file(shared / "golden" / "losses.safetensors")
    assert torch.allclose(spread_loss(golden["koleo.input"]), golden["koleo.loss"], rtol=1e-5)


def test_the_loss_equals_a_plain_loop():
    features = some(9, 5)
    unit = features.double().numpy()
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    others = [np.delete(unit, row, axis=0) for row in range(9)]
    nearest = [min(np.linalg.norm(unit[i] - b) for b in others[i]) for i in range(9)]
    assert float(spread_loss(features)) == pytest.approx(-np.log(nearest).mean(), rel=1e-5)


def test_the_loss_does_not_see_lengths():
    features = some(6, 4)
    lengths = torch.tensor([[1.0], [2.0], [0.3], [5.0], [0.1], [7.0]])
    assert torch.allclose(spread_loss(features * lengths), spread_loss(features), rtol=1e-5)


def test_a_step_down_the_gradient_moves_features_apart():
    features = some(8, 3).requires_grad_()
    before = spread_loss(features)
    before.backward()
    assert spread_loss(features.detach() - 0.01 * features.grad) < before


def test_equal_rows_give_finite_gradients():
    features = torch.ones(4, 3, requires_grad=True)
    spread_loss(features).backward()
    assert torch.isfinite(features.grad).all()
