"""A step of every pretraining method on the device: its loss and gradients are the CPU's."""

import pytest
import torch
from fake_gpu.tracing import traced

from featbank.methods import METHODS
from featbank.methods.parts.bundle import Bundle
from featbank.methods.parts.draws import Draws
from tests.contracts.test_method_contract import hyper_of, make, numbers

EACH = pytest.mark.parametrize("name", list(METHODS))


def views(name, device):
    generator = torch.Generator().manual_seed(0)
    return {
        crop.name: torch.randn(
            3 * crop.count, 5, crop.size_px, crop.size_px, generator=generator
        ).to(device)
        for crop in METHODS[name].crops(hyper_of(METHODS[name]), 32, 8)
    }


def step(name, method, given, number=0):
    torch.manual_seed(number)  # of the depths that are dropped
    draws = Draws(seed=0, step=number, total=3, rows=range(3))
    drawn = method.draw(draws, {key: x.shape[-1] for key, x in given.items()})
    output = method(given, Bundle(drawn, given["global"].device).moved(), numbers(name))
    output.loss.backward()
    method.before_update(numbers(name))
    method.after_update(numbers(name))
    return output


@EACH
def test_loss_and_gradients_are_those_of_the_cpu(name):
    found = {}
    for device in ("cpu", "cuda"):
        method = make(name).to(device)
        loss = step(name, method, views(name, device)).loss.detach().cpu()
        grads = {k: v.grad.cpu() for k, v in method.named_parameters() if v.grad is not None}
        found[device] = {"loss": loss, **grads}
    torch.testing.assert_close(found["cuda"], found["cpu"], rtol=1e-3, atol=1e-5)


def second_step(name):
    """What it has the device do; the first step also makes what is kept."""
    method, given = make(name).to("cuda"), views(name, "cuda")
    step(name, method, given)
    with traced() as trace:
        step(name, method, given, number=1)
    return trace


@EACH
def test_a_step_waits_for_nothing(name):
    assert second_step(name).waits == []


@EACH
def test_a_step_copies_without_blocking(name):
    trace = second_step(name)
    assert trace.blocking == []
    # One for all that is drawn, and none where nothing is.
    assert len(trace.copies_in) <= 1
