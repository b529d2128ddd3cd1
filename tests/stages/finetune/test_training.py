import math

import pytest
import torch
from torch import nn

from featbank.stages.finetune.training import Best, Epoch, loss_of


def seen(keep, scores):
    """What is kept of a run whose only weight is the number of its epoch."""
    network = nn.Linear(1, 1, bias=False)
    best = Best(network, keep)
    for number, score in enumerate(scores, start=1):
        nn.init.constant_(network.weight, number)
        best.see(
            Epoch(
                epoch=number,
                lr=0.1,
                train_loss=1.0,
                train_score=0.5,
                val_loss=1.0,
                val_score=score,
                seconds=1.0,
                chips_per_second=9.0,
            )
        )
    best.restore()
    return best.epoch.epoch, network.weight.item()


@pytest.mark.parametrize(
    ("keep", "scores", "kept"),
    [
        ("best", [0.2, 0.7, 0.5, 0.7], 2),
        ("best", [0.9, 0.7], 1),
        ("last", [0.9, 0.7], 2),
        ("best", [math.nan, math.nan, math.nan], 3),
    ],
    ids=["the first of equals", "not the last", "the last if asked", "the last without validation"],
)
def test_weights_of_one_epoch_are_kept(keep, scores, kept):
    assert seen(keep, scores) == (kept, kept)


def test_one_class_a_sample_has_cross_entropy():
    logits, y = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]]), torch.tensor([2, 1])
    expected = -sum(math.log(math.exp(row[k]) / sum(map(math.exp, row)))
                    for row, k in zip(logits.tolist(), y.tolist(), strict=True)) / 2  # fmt: skip
    assert float(loss_of(logits, y)) == pytest.approx(expected, rel=1e-5)


def test_several_labels_have_binary_cross_entropy():
    logits, y = torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 1.0]])
    expected = (math.log(1 + math.exp(-2.0)) + math.log(1 + math.exp(1.0))) / 2
    assert float(loss_of(logits, y)) == pytest.approx(expected, rel=1e-5)
