"""A run on the device, cut and gone on with: weights, moving average, optimiser's moments."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fake_gpu.tracing import traced
from tiny_training import final_weights, tiny_plan

from featbank.methods.parts.moving_average import frozen_copy, move_average
from featbank.stages.pretrain.run import pretrain, training_of
from featbank.stages.pretrain.scale.parallel import Place
from featbank.stages.pretrain.states.resuming import load_run, run_tensors
from tests.stages.pretrain.test_methods_in_the_loop import Cut, cut_at_6


def on_device(plan):
    return replace(plan, options=replace(plan.options, device="cuda"))


def test_a_run_cut_and_resumed_ends_with_the_weights_of_a_whole_one(tmp_path):
    whole, cut = (on_device(tiny_plan(tmp_path / name, steps=7)) for name in ("whole", "cut"))
    pretrain(whole)
    with pytest.raises(Cut):
        pretrain(cut, progress=cut_at_6)
    assert pretrain(cut).done == 3
    expected, found = final_weights(whole), final_weights(cut)
    assert all(np.array_equal(found[name], values) for name, values in expected.items())


def test_a_state_of_the_cpu_is_taken_up_on_the_device(tmp_path):
    plan = tiny_plan(tmp_path)
    made = {}
    for device in ("cpu", "cuda"):
        run = training_of(plan, Place(rank=0, world=1, device=torch.device(device)))
        module = run.trained.module
        for parameter in module.parameters():
            parameter.grad = torch.ones_like(parameter) if parameter.requires_grad else None
        run.optimiser.step()
        made[device] = module, run.optimiser
    state = run_tensors(*made["cpu"])
    load_run(*made["cuda"], state)
    found = run_tensors(*made["cuda"])
    assert all(value.device.type == "cpu" for value in found.values())
    assert {name: value.dtype for name, value in found.items()} == {
        name: value.dtype for name, value in state.items()
    }
    assert all(torch.equal(found[name], value) for name, value in state.items())
    moments = [v for part in made["cuda"][1].state.values() for v in part.values()]
    assert {value.device.type for value in moments} == {"cuda"}


def test_a_moving_average_moves_on_the_device_without_a_copy():
    student = torch.nn.Linear(4, 3)
    average = frozen_copy(student)
    torch.nn.init.ones_(student.weight)
    expected = 0.9 * average.weight + 0.1 * student.weight.detach()
    student, average = student.to("cuda"), average.to("cuda")
    with traced() as trace:
        move_average(average, student, 0.9)
    assert (trace.copies_in, trace.copies_out, trace.waits) == ([], [], [])
    torch.testing.assert_close(average.weight.detach().cpu(), expected.detach())
