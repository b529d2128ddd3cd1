import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from featbank.errors import TrainingError
from featbank.stages.pretrain.watching.watch import Watch, feature_figures, target_figures


def watch(**changes):
    settings = {"subject": "run", "first_judged": 0, "patience": 40, "tell": lambda _: None}
    return Watch(**{**settings, **changes})


def row(step, **figures):
    return {"step": step, "loss": 1.0, "lr": 0.1, "gradient_norm": 2.0, **figures}


def slow_rank(features):
    """RankMe's equation 1 from NumPy's singular values, on features less their mean."""
    sizes = np.linalg.svd(features - features.mean(axis=0), compute_uv=False)
    shares = sizes[sizes > 1e-9] / sizes.sum()
    return math.exp(-(shares * np.log(shares)).sum())


@given(n=st.integers(3, 20), dim=st.integers(2, 12), seed=st.integers(0, 99))
def test_the_effective_rank_is_that_of_rankme(n, dim, seed):
    features = np.random.default_rng(seed).normal(size=(n, dim)) * np.arange(1, dim + 1)
    found = feature_figures(torch.from_numpy(features))["feature_rank"]
    assert float(found) == pytest.approx(slow_rank(features.astype(np.float32)), rel=1e-3)


def test_equal_features_have_no_spread():
    figures = feature_figures(torch.ones(9, 4) * torch.tensor([1.0, -2.0, 3.0, 0.5]))
    assert float(figures["feature_spread"]) < 1e-6


def test_features_that_are_not_finite_have_no_rank():
    assert math.isnan(feature_figures(torch.full((5, 3), math.nan))["feature_rank"])


def test_the_spread_is_that_about_the_mean_over_the_whole():
    features = torch.tensor([[3.0, 0.0], [5.0, 0.0]])
    figures = feature_figures(features)
    assert float(figures["feature_spread"]) == pytest.approx(1 / math.sqrt(17))


def test_one_prototype_for_all_chips_is_one_prototype_used():
    targets = torch.eye(8)[torch.zeros(5, dtype=torch.long)]
    assert float(target_figures(targets)["prototypes_used"]) == pytest.approx(1.0)


def test_uniform_targets_are_flat_and_use_every_prototype():
    figures = target_figures(torch.full((5, 8), 1 / 8))
    assert float(figures["target_flatness"]) == pytest.approx(1.0)
    assert float(figures["prototypes_used"]) == pytest.approx(8.0)


def test_a_fault_warns_at_half_its_patience_and_stops_at_the_end_of_it():
    told = []
    judge = watch(tell=told.append).judge
    for step in range(0, 20, 10):
        judge(row(step, prototypes_used=1.0))
    assert told == []
    judge(row(20, prototypes_used=1.0))
    judge(row(30, prototypes_used=1.0))
    assert len(told) == 1
    assert told[0].startswith("run: warning, for 20 steps the teacher gives every chip the same")
    with pytest.raises(TrainingError, match="stopped at step 40: .* uses 1.00 prototypes"):
        judge(row(40, prototypes_used=1.0))


def test_a_fault_that_passes_begins_anew():
    judge = watch().judge
    for step in range(0, 200, 10):
        judge(row(step, feature_rank=1.0 if step % 40 else 5.0))


def test_figures_of_the_warm_up_do_not_count():
    judge = watch(first_judged=100).judge
    for step in range(0, 140, 10):
        judge(row(step, target_flatness=1.0))
    with pytest.raises(TrainingError, match="tells no prototype from another"):
        judge(row(140, target_flatness=1.0))


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_at_once(loss):
    with pytest.raises(TrainingError, match="at step 3, with learning rate 0.1 and gradients of"):
        watch().judge(row(3) | {"loss": loss})


def test_a_resumed_watch_judges_as_the_whole_one():
    first, second = watch(), watch()
    for step in (0, 10, 20):
        first.judge(row(step, feature_rank=1.1))
    second.recall(first.remembered())
    second.judge(row(30, feature_rank=1.1))
    with pytest.raises(TrainingError, match="1.1 in the first steps"):
        second.judge(row(40, feature_rank=1.1))
