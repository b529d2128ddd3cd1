"""Weighted and focal cross-entropies against PyTorch's and against numeric gradients."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from featbank.errors import ProbeError
from featbank.probes.fitting.mlp_loss import MAX_POS_WEIGHT, MlpLoss, balanced_weights, make_loss

WEIGHTS = torch.tensor([0.5, 2.0, 3.0], dtype=torch.float64)


@pytest.fixture
def scores():
    generator = torch.Generator().manual_seed(0)
    return 3 * torch.randn(2, 7, 3, dtype=torch.float64, generator=generator)


def make_targets(several):
    generator = torch.Generator().manual_seed(1)
    if several:
        return torch.randint(2, (7, 3), generator=generator).double()
    return torch.eye(3, dtype=torch.float64)[torch.randint(3, (7,), generator=generator)]


@pytest.mark.parametrize("gamma", [None, 0.5, 2.0])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("several", [False, True])
def test_errors_are_gradients_of_the_value(scores, several, weights, gamma):
    loss = MlpLoss(several=several, weights=weights, gamma=gamma)
    scores.requires_grad_()
    loss.value(scores, make_targets(several)).sum().backward()
    error = loss.error(scores.detach(), make_targets(several))
    torch.testing.assert_close(error, scores.grad)


def test_weighted_labels_are_pytorchs(scores):
    found = MlpLoss(several=True, weights=WEIGHTS).value(scores, make_targets(True))
    targets = make_targets(True)
    for network, value in zip(scores, found, strict=True):
        expected = F.binary_cross_entropy_with_logits(network, targets, pos_weight=WEIGHTS)
        torch.testing.assert_close(value, expected)


def test_weighted_classes_are_pytorchs(scores):
    found = MlpLoss(several=False, weights=WEIGHTS).value(scores, make_targets(False))
    truth = make_targets(False).argmax(dim=1)
    for network, value in zip(scores, found, strict=True):
        expected = F.cross_entropy(network, truth, weight=WEIGHTS, reduction="none").mean()
        torch.testing.assert_close(value, expected)


def test_focal_loss_is_the_papers_formula():
    p = torch.tensor([0.9, 0.2])
    found = MlpLoss(several=True, gamma=2.0).value(p.logit()[None], torch.tensor([[1.0, 0.0]]))
    expected = -(0.1**2 * np.log(0.9) + 0.2**2 * np.log(0.8)) / 2
    assert found.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("several", [False, True])
def test_certain_scores_have_finite_focal_errors(several, gamma):
    scores = torch.tensor([[200.0, -200.0], [-200.0, 200.0]])
    error = MlpLoss(several=several, gamma=gamma).error(scores, torch.eye(2).flip(0))
    assert torch.isfinite(error).all()
    right = MlpLoss(several=several, gamma=gamma).error(scores, torch.eye(2))
    assert (right == 0).all()


def test_balanced_classes_are_those_of_scikit_learn():
    from sklearn.utils.class_weight import compute_class_weight

    codes = np.repeat([0, 1, 2], [5, 1, 9])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=codes)
    np.testing.assert_allclose(balanced_weights(codes, 3), expected)


def test_balanced_labels_are_negatives_by_positives_up_to_the_cap():
    codes = np.zeros((1000, 4), np.int8)
    codes[:250, 0], codes[:1, 1], codes[:, 3] = 1, 1, 1
    np.testing.assert_allclose(balanced_weights(codes, 4), [3, MAX_POS_WEIGHT, 1, 1])


def test_named_weights_stand_at_their_labels():
    named = {"class_weight": {"b": 3.0}, "focal": None}
    found = make_loss(np.arange(3), np.array(["a", "b", "c"]), **named)
    assert found.weights.tolist() == [1, 3, 1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"class_weight": "even"}, "class_weight: it is 'even'; expected"),
        ({"class_weight": {2: -1.0}}, "class_weight: it is {2: -1.0}; expected"),
        ({"focal": 0.0}, "focal: its exponent is 0.0; expected"),
        ({"focal": float("nan")}, "focal: its exponent is nan; expected"),
    ],
)
def test_other_options_are_refused(options, told):
    with pytest.raises(ProbeError, match=told):
        make_loss(np.arange(3), np.arange(3), **{"class_weight": None, "focal": None} | options)
