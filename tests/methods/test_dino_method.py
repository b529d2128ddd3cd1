import math

import numpy as np
import pytest
import torch
from tiny_methods import (
    LENGTH,
    NUMBERS,
    tiny_forward,
    tiny_method,
    tiny_optimiser,
    tiny_step,
    tiny_views,
)

from featbank.errors import WeightsError
from featbank.methods import METHODS

HYPER = METHODS["dino"].hyper


@pytest.fixture
def method():
    return tiny_method("dino", drop_path=0.0)


def test_the_loss_equals_a_plain_loop_over_crops(method):
    views = tiny_views()
    with torch.no_grad():
        method.targets.dino.centre.value.uniform_(-0.3, 0.3)
        move = [value.add_(0.05) for value in method.average.parameters()]
        centre = method.targets.dino.centre.value.double().numpy().copy()
        assert move
        out = tiny_forward(method, views)

        def logits(encoder, head, crop):
            return head(encoder.encode(crop.unsqueeze(0))[:, 0])[0].double().numpy()

        def softmax(x):
            return np.exp(x - x.max()) / np.exp(x - x.max()).sum()

        terms = []
        for chip in range(3):
            crops = [*views["global"][chip::3], *views["local"][chip::3]]
            for j in range(2):
                teacher = logits(method.average, method.average_heads.dino, crops[j])
                target = softmax((teacher - centre) / 0.05)
                for i in range(4):
                    student = softmax(
                        logits(method.encoder, method.student_heads.dino, crops[i]) / 0.1
                    )
                    if i != j:
                        terms.append(-(target * np.log(student)).sum())
    assert float(out.loss) == pytest.approx(np.mean(terms), rel=1e-4)


def test_gradients_reach_every_trained_parameter_and_no_other(method):
    tiny_forward(method, tiny_views()).loss.backward()
    trained = {name for name, value in method.named_parameters() if value.requires_grad}
    reached = {name for name, value in method.named_parameters() if value.grad is not None}
    assert trained == reached
    assert all(value.grad.any() for value in method.parameters() if value.grad is not None)
    assert not any("average" in name for name in trained)


def test_lengths_of_prototypes_are_trained_only_on_request(method):
    assert not method.student_heads.dino.last_layer.weight_g.requires_grad
    assert tiny_method(
        "dino", norm_last_layer=False
    ).student_heads.dino.last_layer.weight_g.requires_grad


def test_the_teacher_starts_as_the_student(method):
    views = tiny_views()
    with torch.no_grad():
        ours, theirs = (
            method.encoder.encode(views["global"]),
            method.average.encode(views["global"]),
        )
    assert torch.equal(ours, theirs)


def test_the_teacher_has_no_stochastic_depth():
    method = tiny_method("dino", drop_path=0.5)
    assert [block.drop_path for block in method.encoder.blocks] == [0.0, 0.5]
    assert [block.drop_path for block in method.average.blocks] == [0.0, 0.0]


def test_the_teacher_moves_by_the_momentum(method):
    before = method.average.norm.weight.clone()
    tiny_step(method, tiny_optimiser(method), tiny_views(), {**NUMBERS, "momentum": 0.75})
    moved = 0.75 * before + 0.25 * method.encoder.norm.weight.detach()
    assert torch.allclose(method.average.norm.weight, moved, atol=1e-6)


def test_the_heads_of_the_teacher_move_with_it(method):
    student, teacher = method.student_heads.dino.mlp[0], method.average_heads.dino.mlp[0]
    before = teacher.weight.clone()
    tiny_step(method, tiny_optimiser(method), tiny_views(), {**NUMBERS, "momentum": 0.75})
    assert torch.allclose(teacher.weight, 0.75 * before + 0.25 * student.weight.detach(), atol=1e-6)


def test_frozen_prototypes_stay(method):
    before = method.student_heads.dino.last_layer.weight_v.clone()
    tiny_step(method, tiny_optimiser(method), tiny_views(), {**NUMBERS, "last_layer_frozen": 1.0})
    assert torch.equal(method.student_heads.dino.last_layer.weight_v, before)
    tiny_step(method, tiny_optimiser(method), tiny_views())
    assert not torch.equal(method.student_heads.dino.last_layer.weight_v, before)


def test_the_centre_takes_the_mean_of_the_teacher(method):
    views = tiny_views()
    with torch.no_grad():
        mean = method.average_heads.dino(method.average.encode(views["global"])[:, 0]).mean(0)
    tiny_step(method, tiny_optimiser(method), views)
    assert torch.allclose(method.targets.dino.centre.value, 0.1 * mean, atol=1e-6)


def test_targets_and_features_are_those_of_the_global_crops(method):
    out = tiny_forward(method, tiny_views())
    assert out.targets.shape == (6, 20)
    assert out.features.shape == (6, 24)
    assert not out.features.requires_grad
    assert torch.allclose(out.targets.sum(1), torch.ones(6), atol=1e-5)


def test_layer_scale_starts_as_asked_unless_weights_are_trained_ones():
    shape = {"layer_scale": True}
    started = tiny_method("dino", shape=shape, layer_scale_init=0.25)
    assert started.encoder.blocks[0].ls1.gamma.tolist() == [0.25] * 24
    assert started.average.blocks[1].ls2.gamma.tolist() == [0.25] * 24
    warm = tiny_method("dino", shape=shape, layer_scale_init=0.25, is_warm=True)
    assert warm.encoder.blocks[0].ls1.gamma.tolist() != [0.25] * 24


def test_a_step_on_two_chips_leaves_everything_finite(method):
    out = tiny_step(method, tiny_optimiser(method), tiny_views(2))
    assert math.isfinite(float(out.loss.detach()))
    assert all(torch.isfinite(value).all() for value in method.state_dict().values())


@pytest.mark.parametrize("channels", [2, 13])
def test_bands_and_patches_of_other_numbers(channels):
    shape = {"channels": channels, "patch_px": 8, "grid": 2}
    method = tiny_method("dino", shape=shape)
    out = tiny_step(method, tiny_optimiser(method), tiny_views(channels=channels))
    assert torch.isfinite(out.loss)


def test_without_local_crops_the_globals_remain(method):
    out = tiny_forward(method, tiny_views(locals_=0))
    assert torch.isfinite(out.loss)


def test_a_saved_state_gives_the_same_next_step_bit_for_bit(method):
    tiny_step(method, tiny_optimiser(method), tiny_views())
    twin = tiny_method("dino", drop_path=0.0, seed=1)
    twin.load_state_dict(method.state_dict())
    outs = [tiny_forward(m, tiny_views(seed=2)).loss for m in (method, twin)]
    assert torch.equal(*outs)


def test_a_checkpoint_goes_on_from_its_heads(method):
    tiny_step(method, tiny_optimiser(method), tiny_views())
    going_on = tiny_method("dino", heads=dict(method.heads()), seed=1)
    for head in (going_on.student_heads.dino, going_on.average_heads.dino):
        kept = method.average_heads.dino.last_layer.weight_v
        assert torch.equal(head.last_layer.weight_v, kept)
    assert torch.equal(going_on.targets.dino.centre.value, method.targets.dino.centre.value)


def test_heads_of_another_size_are_refused(method):
    with pytest.raises(WeightsError, match=r"last_layer.weight_g: has shape \(20, 1\); expected"):
        tiny_method("dino", heads=dict(method.heads()), prototypes=24)


def test_heads_of_another_method_are_refused():
    with pytest.raises(WeightsError, match="is missing"):
        tiny_method("dino", heads={"decoder.weight": torch.zeros(3)})


def test_the_checkpoint_keeps_the_teacher(method):
    tiny_step(method, tiny_optimiser(method), tiny_views())
    assert set(method.kept()) == set(method.encoder.state_dict())
    assert torch.equal(method.kept()["norm.weight"], method.average.norm.weight)


def test_training_lowers_the_loss_on_chips_that_stay_the_same():
    method = tiny_method("dino", drop_path=0.0, centre_momentum=1.0)
    optimiser = tiny_optimiser(method, lr=3e-3)
    numbers = {**NUMBERS, "momentum": 1.0}
    steps = [tiny_step(method, optimiser, tiny_views(), numbers) for _ in range(20)]
    losses = [float(step.loss.detach()) for step in steps]
    assert losses[-1] < 0.9 * losses[0]


def test_schedules_equal_plain_formulas():
    hyper = {**HYPER, "teacher_temperature_epochs": 3, "last_layer_frozen_epochs": 2}
    made = METHODS["dino"].schedules(hyper, LENGTH)
    for step in range(40):
        cosine = 1 - (1 - 0.996) * (math.cos(math.pi * step / 40) + 1) / 2
        assert made["momentum"][step] == pytest.approx(cosine)
        rising = 0.04 + 0.03 * step / 12 if step < 12 else 0.07
        assert made["teacher_temperature"][step] == pytest.approx(rising)
        assert made["last_layer_frozen"][step] == (step < 8)


def test_without_warm_up_the_temperature_is_constant():
    made = METHODS["dino"].schedules({**HYPER, "teacher_temperature_epochs": 0}, LENGTH)
    assert set(made["teacher_temperature"]) == {0.07}


@pytest.mark.parametrize(
    ("image_px", "patch_px", "local_px"), [(224, 16, 96), (224, 14, 98), (64, 8, 24)]
)
def test_local_crops_keep_their_share_of_the_image(image_px, patch_px, local_px):
    wide, narrow = METHODS["dino"].crops(HYPER, image_px, patch_px)
    assert (wide.size_px, narrow.size_px) == (image_px, local_px)
    assert (wide.count, narrow.count) == (2, 8)


def test_no_local_crops_are_made_where_none_are_wanted():
    assert len(METHODS["dino"].crops({**HYPER, "local_count": 0}, 224, 16)) == 1
