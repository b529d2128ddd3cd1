import math

import numpy as np
import pytest
import torch
from tiny_methods import (
    LENGTH,
    NUMBERS,
    tiny_draws,
    tiny_forward,
    tiny_method,
    tiny_optimiser,
    tiny_step,
    tiny_views,
)

from featbank.errors import UsageError, WeightsError
from featbank.methods import METHODS
from featbank.methods.parts.masks import block_masks

HYPER = METHODS["dinov2"].hyper


@pytest.fixture
def method():
    return tiny_method("dinov2", drop_path=0.0)


def softmax(x):
    return np.exp(x - x.max(-1, keepdims=True)) / np.exp(x - x.max(-1, keepdims=True)).sum(
        -1, keepdims=True
    )


def masks():
    return block_masks(tiny_draws(), crops=2, grid=(4, 4), probability=0.5, ratio=(0.1, 0.5))


def test_parts_are_weighted_and_summed():
    method = tiny_method("dinov2", drop_path=0.0, ibot_weight=0.5, dino_weight=2.0)
    out = tiny_forward(method, tiny_views())
    parts = {name: float(value) for name, value in out.parts.items()}
    wanted = 2 * parts["dino"] + 0.5 * parts["ibot"] + 0.1 * parts["koleo"]
    assert float(out.loss.detach()) == pytest.approx(wanted, rel=1e-5)


def test_the_patch_loss_equals_a_plain_loop_over_patches():
    method = tiny_method("dinov2", drop_path=0.0, centring="softmax", shape={"registers": 3})
    views, hidden = tiny_views(), masks()
    with torch.no_grad():
        for value in method.average.parameters():
            value.mul_(1.1)
        centre = method.targets.ibot.centre.value.uniform_(-0.2, 0.2).double().numpy().copy()
        method.mask_token.uniform_(-1, 1)
        out = tiny_forward(method, views)
        seen = method.average.encode(views["global"])[:, 4:]
        guessed = method.encoder.encode(
            views["global"], masked=hidden, mask_token=method.mask_token
        )[:, 4:]
        total = 0.0
        for crop in range(6):
            for patch in range(16):
                if hidden[crop, patch]:
                    there = method.average_heads.ibot(seen[crop, patch : patch + 1])
                    here = method.student_heads.ibot(guessed[crop, patch : patch + 1])
                    target = softmax((there[0].double().numpy() - centre) / 0.05)
                    log = np.log(softmax(here[0].double().numpy() / 0.1))
                    total -= (target * log).sum() / int(hidden[crop].sum()) / 6
    assert hidden.any()
    assert float(out.parts["ibot"]) == pytest.approx(total, rel=1e-4)


def test_the_spread_is_that_of_each_crop_alone(method):
    views = tiny_views(4)
    out = tiny_forward(method, views, tiny_draws(4))
    total = 0.0
    for crop in out.features.double().numpy().reshape(2, 4, -1):
        unit = crop / np.linalg.norm(crop, axis=1, keepdims=True)
        apart = np.linalg.norm(unit[:, None] - unit[None], axis=2) + 9 * np.eye(4)
        total -= np.log(apart.min(axis=1)).mean()
    assert float(out.parts["koleo"]) == pytest.approx(total, rel=1e-4)


def test_heads_are_apart(method):
    dino, ibot = method.student_heads.dino, method.student_heads.ibot
    assert not torch.equal(dino.mlp[0].weight, ibot.mlp[0].weight)


def test_gradients_reach_every_trained_parameter_and_no_other():
    method = tiny_method("dinov2", drop_path=0.0, shape={"registers": 2, "layer_scale": True})
    tiny_forward(method, tiny_views()).loss.backward()
    trained = {name for name, value in method.named_parameters() if value.requires_grad}
    reached = {name for name, value in method.named_parameters() if value.grad is not None}
    assert trained == reached
    assert all(value.grad.any() for value in method.parameters() if value.grad is not None)
    assert not any("average" in name for name in trained)


def test_without_masks_every_trained_parameter_still_has_a_gradient():
    method = tiny_method("dinov2", mask_probability=0.0)
    out = tiny_forward(method, tiny_views())
    out.loss.backward()
    assert float(out.parts["ibot"]) == 0.0
    assert all(v.grad is not None for v in method.parameters() if v.requires_grad)


def test_both_prototypes_are_frozen_at_first(method):
    before = [head.last_layer.weight_v.clone() for head in method.student_heads.values()]
    tiny_step(method, tiny_optimiser(method), tiny_views(), {**NUMBERS, "last_layer_frozen": 1.0})
    after = [head.last_layer.weight_v for head in method.student_heads.values()]
    assert all(map(torch.equal, before, after))


def test_stochastic_depth_is_the_same_in_all_blocks():
    method = tiny_method("dinov2", drop_path=0.4)
    assert [block.drop_path for block in method.encoder.blocks] == [0.4, 0.4]


def test_sinkhorn_leaves_the_centres_at_zero(method):
    tiny_step(method, tiny_optimiser(method), tiny_views())
    assert not method.targets.dino.centre.value.any()
    assert not method.targets.ibot.centre.value.any()


def test_centring_moves_both_centres():
    method = tiny_method("dinov2", centring="softmax")
    tiny_step(method, tiny_optimiser(method), tiny_views())
    assert method.targets.dino.centre.value.any()
    assert method.targets.ibot.centre.value.any()


def test_another_way_to_centre_is_refused():
    with pytest.raises(UsageError, match="centring mean: is unknown; expected softmax or sinkhorn"):
        tiny_method("dinov2", centring="mean")


@pytest.mark.parametrize("channels", [2, 13])
def test_bands_and_patches_of_other_numbers(channels):
    shape = {"channels": channels, "patch_px": 8, "grid": 4}
    views = tiny_views(2, channels=channels, wide_px=32, narrow_px=16)
    method = tiny_method("dinov2", shape=shape)
    out = tiny_step(method, tiny_optimiser(method), views)
    assert math.isfinite(float(out.loss.detach()))
    assert all(torch.isfinite(value).all() for value in method.state_dict().values())


def test_larger_views_at_the_end_need_no_other_network(method):
    out = tiny_step(method, tiny_optimiser(method), tiny_views(wide_px=24, narrow_px=12))
    assert math.isfinite(float(out.loss.detach()))


def test_a_saved_state_gives_the_same_next_step_bit_for_bit():
    method = tiny_method("dinov2", drop_path=0.0, centring="softmax")
    tiny_step(method, tiny_optimiser(method), tiny_views())
    twin = tiny_method("dinov2", drop_path=0.0, centring="softmax", seed=1)
    twin.load_state_dict(method.state_dict())
    outs = [tiny_forward(m, tiny_views(seed=2)).loss for m in (method, twin)]
    assert torch.equal(*outs)


def test_a_checkpoint_goes_on_from_its_heads(method):
    tiny_step(method, tiny_optimiser(method), tiny_views())
    going_on = tiny_method("dinov2", heads=dict(method.heads()), seed=1)
    kept = method.average_heads.ibot.last_layer.weight_v
    assert torch.equal(going_on.student_heads.ibot.last_layer.weight_v, kept)
    assert torch.equal(going_on.mask_token, method.mask_token)


def test_dino_takes_its_head_from_a_checkpoint_of_dinov2(method):
    going_on = tiny_method("dino", heads=dict(method.heads()), seed=1)
    kept = method.average_heads.dino.last_layer.weight_v
    assert torch.equal(going_on.student_heads.dino.last_layer.weight_v, kept)


def test_heads_of_dino_lack_those_of_patches():
    heads = dict(tiny_method("dino").heads())
    with pytest.raises(WeightsError, match=r"head\.ibot\.mlp\.0\.weight: is missing"):
        tiny_method("dinov2", heads=heads)


def test_training_lowers_the_loss_on_chips_that_stay_the_same(method):
    optimiser = tiny_optimiser(method, lr=3e-3)
    numbers = {**NUMBERS, "momentum": 1.0}
    steps = [tiny_step(method, optimiser, tiny_views(), numbers) for _ in range(20)]
    losses = [float(step.loss.detach()) for step in steps]
    assert losses[-1] < 0.9 * losses[0]


def test_the_schedules_are_those_of_dino():
    made = METHODS["dinov2"].schedules(HYPER, LENGTH)
    assert set(made) == {"momentum", "teacher_temperature", "last_layer_frozen"}
    assert made["momentum"][0] == pytest.approx(0.992)


@pytest.mark.parametrize("drop_path", [0.0, 0.3])
def test_half_precision_gives_nearly_the_same_loss_in_float32(drop_path):
    method, losses = tiny_method("dinov2", drop_path=drop_path), []
    for is_half in (False, True):
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=is_half):
            losses.append(tiny_forward(method, tiny_views()).loss.detach())
    assert losses[1].dtype == torch.float32
    assert float(losses[1]) == pytest.approx(float(losses[0]), rel=0.01)
