import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from featbank.methods.losses.prototypes import (
    Centre,
    centred,
    entropy,
    sinkhorn,
    views_loss,
)


@pytest.fixture(scope="module")
def golden(shared):
    return load_file(shared / "golden" / "losses.safetensors")


def some(*shape, seed=0, spread=1.0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * spread


def softmax(values):
    weights = np.exp(values - values.max())
    return weights / weights.sum()


def students_and(golden, targets):
    students = torch.stack([golden[f"dino.student{i}"] for i in range(3)])
    return students, torch.stack([golden[f"dino.{targets}{i}"] for i in range(2)])


@pytest.mark.parametrize("view", [0, 1])
def test_centring_agrees_with_upstream(golden, view):
    ours = centred(golden[f"dino.teacher{view}"], golden["dino.center_before"][0], 0.05)
    assert torch.allclose(ours, golden[f"dino.softmax{view}"], atol=1e-5)


@pytest.mark.parametrize("view", [0, 1])
def test_sinkhorn_agrees_with_upstream(golden, view):
    ours = sinkhorn(golden[f"dino.teacher{view}"], 0.05)
    assert torch.allclose(ours, golden[f"dino.sinkhorn{view}"], atol=1e-5)


def test_the_centre_moves_as_upstream(golden):
    centre = Centre(32)
    centre.value.copy_(golden["dino.center_before"][0])
    centre.note(golden["dino.teacher0"])
    centre.note(golden["dino.teacher1"])
    centre.move()
    assert torch.allclose(centre.value, golden["dino.center_after"][0], atol=1e-5)


@pytest.mark.parametrize("way", ["softmax", "sinkhorn"])
def test_the_loss_agrees_with_upstream(golden, way):
    ours = views_loss(*students_and(golden, way), own_views=0)
    # Upstream gives the sum over the 3 x 2 pairs.
    assert torch.allclose(ours * 6, golden[f"dino.loss_{way}"], rtol=1e-5)


def test_centring_equals_a_plain_loop():
    logits, centre = some(5, 7), some(7, seed=1)
    ours = centred(logits, centre, 0.3)
    slow = [softmax((row - centre.double().numpy()) / 0.3) for row in logits.double().numpy()]
    assert np.allclose(ours, slow, atol=1e-6)


def test_sinkhorn_equals_a_plain_loop():
    logits = some(6, 9, seed=3)
    slow = np.exp(logits.double().numpy() / 0.2)
    for _ in range(3):
        for column in range(9):
            slow[:, column] /= slow[:, column].sum() * 9
        for row in range(6):
            slow[row] /= slow[row].sum()
    assert np.allclose(sinkhorn(logits, 0.2), slow, atol=1e-6)


def test_views_are_compared_with_the_other_views_only():
    students, targets = some(5, 3, 8, seed=4), torch.softmax(some(2, 3, 8, seed=5), dim=-1)
    ours = views_loss(students, targets, temperature=0.2, own_views=2)
    terms = []
    for i in range(5):
        for j in range(2):
            for chip in range(3):
                log = np.log(softmax(students[i, chip].double().numpy() / 0.2))
                if i != j:
                    terms.append(-(targets[j, chip].double().numpy() * log).sum())
    assert float(ours) == pytest.approx(np.mean(terms), rel=1e-5)


def test_the_loss_of_uniform_outputs_is_log_k():
    targets = torch.softmax(some(2, 4, 50), dim=-1)
    ours = views_loss(torch.zeros(6, 4, 50), targets, own_views=2)
    assert float(ours) == pytest.approx(math.log(50), rel=1e-6)


def test_the_gradient_of_the_loss_is_the_difference_of_probabilities():
    students = some(2, 3, 5, seed=6).double().requires_grad_()
    targets = torch.softmax(some(2, 3, 5, seed=7).double(), dim=-1)
    views_loss(students, targets, temperature=1.0, own_views=2).backward()
    wanted = (torch.softmax(students, -1) - targets.flip(0)) / 6
    assert torch.allclose(students.grad, wanted.detach(), atol=1e-6)


def test_the_centre_stays_where_nothing_was_noted():
    centre = Centre(3)
    centre.value.copy_(torch.tensor([1.0, 2.0, 3.0]))
    centre.note(torch.empty(0, 3))
    centre.move()
    assert torch.equal(centre.value, torch.tensor([1.0, 2.0, 3.0]))


def test_micro_batches_move_the_centre_like_one_batch():
    logits, whole, parts = some(7, 4), Centre(4), Centre(4)
    whole.note(logits)
    for piece in logits.split([2, 5]):
        parts.note(piece)
    for centre in (whole, parts):
        centre.move()
    assert torch.allclose(whole.value, parts.value, atol=1e-7)


@given(st.integers(1, 12), st.integers(2, 20), st.floats(0.1, 300))
def test_sinkhorn_gives_probabilities_whatever_the_scale(rows, prototypes, spread):
    targets = sinkhorn(some(rows, prototypes, spread=spread), 0.04)
    assert torch.isfinite(targets).all()
    assert torch.allclose(targets.sum(1), torch.ones(rows), atol=1e-4)


def test_sinkhorn_uses_prototypes_alike():
    skewed = some(400, 8, seed=8, spread=0.05) + torch.tensor([1.0, *[0.0] * 7])
    usage = sinkhorn(skewed, 0.1, iterations=20).mean(0)
    assert torch.allclose(usage, torch.full((8,), 1 / 8), atol=1e-3)


def test_sinkhorn_of_no_rows_is_no_rows():
    assert sinkhorn(torch.empty(0, 5), 0.05).shape == (0, 5)


def test_entropy_is_log_k_at_uniform_and_zero_at_one_hot():
    assert float(entropy(torch.full((3, 8), 1 / 8))) == pytest.approx(math.log(8))
    assert float(entropy(torch.eye(4))) == 0.0
