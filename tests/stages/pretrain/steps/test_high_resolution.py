import pytest
import torch
from tiny_training import HYPER, tiny_plan

from featbank.errors import UsageError
from featbank.stages.pretrain.steps.high_resolution import (
    first_large_step,
    require_large_views,
    views_by_step,
)


@pytest.mark.parametrize(
    ("hyper", "first"),
    [
        ({}, 100),
        ({"high_res_px": 0, "high_res_share": 0.5}, 100),
        ({"high_res_px": 64, "high_res_share": 0.1}, 90),
        ({"high_res_px": 64, "high_res_share": 1.0}, 0),
    ],
)
def test_the_phase_is_the_last_share_of_the_steps(hyper, first):
    assert first_large_step(hyper, 100) == first


@pytest.mark.parametrize(
    ("hyper", "match"),
    [
        ({"high_res_px": 60, "high_res_share": 0.1}, "a larger multiple of 8"),
        ({"high_res_px": 32, "high_res_share": 0.1}, "views of 32 px"),
        ({"high_res_px": 64, "high_res_share": 0.0}, "no share of a run"),
    ],
)
def test_views_that_do_not_fit_are_refused(hyper, match):
    with pytest.raises(UsageError, match=match):
        require_large_views(hyper, image_px=32, patch_px=8)


def sizes(run):
    """Side of the views of each step."""
    from featbank.methods.parts.draws import Draws

    x, draws = torch.randn(1, 2, 40, 40), Draws(seed=0, step=0, total=1, rows=range(1))
    makers = [run(step) for step in range(12)]
    drawn = [maker.draw((40, 40), draws.among(range(1))) for maker in makers]
    return [m(x, d)["global"].shape[-1] for m, d in zip(makers, drawn, strict=True)]


@pytest.fixture
def facts():
    from featbank.methods.views.channel_facts import ChannelFacts

    return [ChannelFacts(unit="dB", mean=0.0, std=1.0, is_sar=True)] * 2


def test_views_grow_for_the_last_steps(tmp_path, facts):
    hyper = {**HYPER, "high_res_px": 32, "high_res_share": 0.25}
    plan = tiny_plan(tmp_path, hyper=hyper)
    usual = plan.crops[0].size_px
    assert sizes(views_by_step(plan, facts)) == [usual] * 9 + [32] * 3


def test_without_the_phase_views_stay_as_they_are(tmp_path, facts):
    plan = tiny_plan(tmp_path)
    assert sizes(views_by_step(plan, facts)) == [plan.crops[0].size_px] * 12
