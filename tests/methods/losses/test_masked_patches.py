import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from featbank.methods.losses.masked_patches import masked_patches_loss, patch_weights
from featbank.methods.losses.prototypes import centred, sinkhorn


def loss(students, targets, masked, **options):
    weights = patch_weights(masked)
    return masked_patches_loss(students, targets, weights, crops=len(masked), **options)


@pytest.fixture(scope="module")
def golden(shared):
    return load_file(shared / "golden" / "losses.safetensors")


def test_targets_agree_with_upstream(golden):
    teacher = golden["ibot.teacher_masked"]
    soft = centred(teacher, golden["ibot.center"].flatten(), 0.05)
    assert torch.allclose(soft, golden["ibot.softmax"], atol=1e-5)
    assert torch.allclose(sinkhorn(teacher, 0.05), golden["ibot.sinkhorn"], atol=1e-5)


@pytest.mark.parametrize("way", ["softmax", "sinkhorn"])
def test_the_loss_agrees_with_upstream(golden, way):
    students, mask = golden["ibot.student_masked"], golden["ibot.mask"]
    ours = loss(students, golden[f"ibot.{way}"], mask)
    assert torch.allclose(ours, golden[f"ibot.loss_{way}"], rtol=1e-5)


def test_the_loss_equals_a_plain_loop():
    draw = torch.Generator().manual_seed(0)
    masked = torch.rand(4, 9, generator=draw) < torch.tensor([[0.1], [0.9], [0.0], [0.5]])
    count = int(masked.sum())
    students = torch.randn(count, 6, generator=draw)
    targets = torch.softmax(torch.randn(count, 6, generator=draw), dim=-1)
    total, at = 0.0, 0
    for crop in masked.numpy():
        for _ in range(crop.sum()):
            row = students[at].double().numpy() / 0.2
            log = row - np.log(np.exp(row).sum())
            total -= (targets[at].double().numpy() * log).sum() / crop.sum() / 4
            at += 1
    ours = loss(students, targets, masked, temperature=0.2)
    assert float(ours) == pytest.approx(total, rel=1e-5)


def test_the_loss_of_uniform_outputs_is_log_k():
    masked = torch.ones(3, 5, dtype=torch.bool)
    ours = loss(torch.zeros(15, 40), torch.full((15, 40), 1 / 40), masked)
    assert float(ours) == pytest.approx(math.log(40), rel=1e-6)


def test_nothing_masked_costs_nothing_and_leaves_gradients_at_zero():
    students = torch.empty(0, 4, requires_grad=True)
    ours = loss(students, torch.empty(0, 4), torch.zeros(2, 9, dtype=torch.bool))
    ours.backward()
    assert float(ours.detach()) == 0.0
    assert students.grad.shape == (0, 4)
