import math

import numpy as np
import pytest
import torch
from tiny_methods import (
    CONFIG,
    NUMBERS,
    tiny_forward,
    tiny_method,
    tiny_optimiser,
    tiny_step,
    tiny_teacher,
    tiny_views,
)

from featbank.errors import UsageError
from featbank.methods import METHODS
from featbank.methods.method import Teacher


@pytest.fixture
def teacher():
    return tiny_teacher()


@pytest.fixture
def method(teacher):
    return tiny_method("distill", teacher=teacher)


def softmax(x):
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def test_every_patch_of_both_global_crops_is_compared():
    teacher = tiny_teacher(centring="softmax")
    method = tiny_method("distill", teacher=teacher, centring="softmax")
    views = tiny_views()
    centre = teacher.heads["targets.ibot.centre.value"].double().numpy()
    with torch.no_grad():
        out = tiny_forward(method, views)
        there = method.teacher_heads.ibot(method.teacher.encode(views["global"])[:, 3:])
        here = method.student_heads.ibot(method.encoder.encode(views["global"])[:, 1:])
    terms = []
    for crop in range(6):
        for patch in range(16):
            target = softmax((there[crop, patch].double().numpy() - centre) / 0.05)
            log = np.log(softmax(here[crop, patch].double().numpy() / 0.1))
            terms.append(-(target * log).sum())
    assert centre.any()
    assert float(out.parts["ibot"]) == pytest.approx(np.mean(terms), rel=1e-4)


def test_the_student_has_the_prototypes_of_its_teacher(method):
    assert method.student_heads.dino.last_layer.weight_v.shape == (14, 8)
    assert method.student_heads.ibot.last_layer.weight_v.shape == (20, 8)
    assert method.encoder.config.dim == CONFIG["dim"]


def test_the_teacher_and_its_centres_never_change():
    method = tiny_method("distill", teacher=tiny_teacher(centring="softmax"), centring="softmax")
    fixed = ("teacher.", "teacher_heads.", "targets.")

    def state():
        every = method.state_dict().items()
        return {name: value.clone() for name, value in every if name.startswith(fixed)}

    before = state()
    for seed in range(2):
        tiny_step(method, tiny_optimiser(method), tiny_views(seed=seed))
    after = state()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert before["targets.dino.centre.value"].any()


def test_gradients_reach_every_trained_parameter_and_no_other(method):
    tiny_forward(method, tiny_views()).loss.backward()
    trained = {name for name, value in method.named_parameters() if value.requires_grad}
    reached = {name for name, value in method.named_parameters() if value.grad is not None}
    assert trained == reached
    assert all(value.grad.any() for value in method.parameters() if value.grad is not None)
    assert {name.split(".")[0] for name in trained} == {"encoder", "student_heads"}


def test_the_checkpoint_keeps_the_average_of_the_student(method):
    before = method.average.norm.weight.clone()
    tiny_step(method, tiny_optimiser(method), tiny_views(), {**NUMBERS, "momentum": 0.75})
    moved = 0.75 * before + 0.25 * method.encoder.norm.weight.detach()
    assert torch.allclose(method.kept()["norm.weight"], moved, atol=1e-6)


def test_what_was_distilled_can_teach(method):
    tiny_step(method, tiny_optimiser(method), tiny_views())
    heads, state = dict(method.heads()), dict(method.kept())
    next_teacher = Teacher(config=CONFIG, state=state, heads=heads, hyper={})
    out = tiny_forward(tiny_method("distill", teacher=next_teacher), tiny_views())
    assert math.isfinite(float(out.loss.detach()))


def test_a_teacher_without_patches_teaches_views():
    method = tiny_method("distill", teacher=tiny_teacher("dino"), ibot_weight=0.0)
    out = tiny_step(method, tiny_optimiser(method), tiny_views())
    assert "ibot" not in out.parts
    assert math.isfinite(float(out.loss.detach()))


def test_a_teacher_without_patches_is_refused_where_they_are_asked_for():
    with pytest.raises(UsageError, match=r"--set ibot_weight=0"):
        tiny_method("distill", teacher=tiny_teacher("dino"))


def test_no_teacher_is_refused():
    with pytest.raises(UsageError, match="Pass --teacher"):
        tiny_method("distill")


def test_a_saved_state_gives_the_same_next_step_bit_for_bit(method, teacher):
    tiny_step(method, tiny_optimiser(method), tiny_views())
    twin = tiny_method("distill", teacher=teacher, seed=1)
    twin.load_state_dict(method.state_dict())
    outs = [tiny_forward(m, tiny_views(seed=2)).loss for m in (method, twin)]
    assert torch.equal(*outs)


def test_a_checkpoint_goes_on_from_its_heads(method, teacher):
    tiny_step(method, tiny_optimiser(method), tiny_views())
    going_on = tiny_method("distill", teacher=teacher, heads=dict(method.heads()), seed=1)
    kept = method.average_heads.ibot.last_layer.weight_v
    assert torch.equal(going_on.student_heads.ibot.last_layer.weight_v, kept)


def test_the_student_comes_nearer_to_its_teacher(method):
    optimiser = tiny_optimiser(method, lr=3e-3)
    steps = [tiny_step(method, optimiser, tiny_views()) for _ in range(20)]
    for part in ("dino", "ibot"):
        assert float(steps[-1].parts[part]) < 0.9 * float(steps[0].parts[part])


def test_the_method_asks_for_a_teacher():
    assert METHODS["distill"].needs_teacher
    assert not METHODS["dinov2"].needs_teacher
