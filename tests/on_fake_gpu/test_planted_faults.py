"""Faults of a device path, planted one by one in the true code: the tests of this folder see each.

A check is a test of this folder, called as it stands; planted code stands in for featbank's.
"""

import contextlib
from unittest import mock

import pytest
import torch

from featbank.inputs.preprocess import Preprocess
from featbank.layers import vit
from featbank.layers.vit import VisionTransformer
from featbank.methods._cls_and_patches import ClsAndPatches
from featbank.methods.parts.bundle import Bundle
from featbank.stages.embed import transfers
from tests.on_fake_gpu import test_encoders, test_forward, test_pretraining_steps


def encoder():
    test_encoders.test_features_are_those_of_the_cpu("vit-tiny")
    test_encoders.test_a_second_pass_copies_and_waits_for_nothing("vit-tiny")


def batch():
    test_forward.test_features_are_those_of_the_cpu("one size")
    test_forward.test_a_batch_copies_its_planes_and_features_and_waits_at_the_result_alone(
        "one size"
    )


def streams():
    test_forward.test_copies_run_beside_the_kernels_each_way_on_a_stream_of_its_own()


@pytest.fixture
def steps(tmp_path):
    def check():
        trace = test_pretraining_steps.run(tmp_path, "dinov2")[1]
        assert (len(trace.copies_in), trace.blocking, trace.waits) == (3 * 2, [], [])

    return check


def after(real, change):
    """A method whose result is changed."""
    return lambda *args, **options: change(real(*args, **options))


def on(owner, name, change):
    return mock.patch.object(owner, name, after(getattr(owner, name), change))


def apart(self):
    """Each tensor moved by itself."""
    from featbank.methods.parts.bundle import _mapped

    return _mapped(self._tree, lambda each: each.pin_memory().to(self._device, non_blocking=True))


def waiting(value):
    value.sum().item()
    return value


def masked(value):
    value[value > 0].sum()
    return value


def blocking(value):
    return value + torch.zeros(1).to(value.device)


def drawn(value):
    return value + 0 * torch.rand(value.shape, device=value.device, generator=torch.Generator())


EMBED, PREPARED = (VisionTransformer, "_embed"), (Preprocess, "__call__")
FAULTS = {
    "a tensor that was never moved": (encoder, lambda: on(*EMBED, lambda x: x + torch.ones(192))),
    "positions made on the default device": (
        encoder,
        lambda: mock.patch.object(
            vit, "resize_positions", after(vit.resize_positions, lambda x: x.cpu())
        ),
    ),
    "float64 on the path": (encoder, lambda: on(*EMBED, lambda x: x.double().float())),
    "a blocking copy in the network": (encoder, lambda: on(*EMBED, blocking)),
    "a number that the host asks for": (encoder, lambda: on(*EMBED, waiting)),
    "a selection by a mask": (encoder, lambda: on(*EMBED, masked)),
    "a generator of the CPU": (encoder, lambda: on(*EMBED, drawn)),
    "pixels in pageable memory": (
        batch, lambda: mock.patch.object(transfers, "_locked", lambda values: values)
    ),
    "features into pageable memory": (
        batch, lambda: mock.patch.object(
            transfers.Transfers, "_hosted", lambda _, values: values.to("cpu")
        )
    ),
    "input prepared on the CPU": (batch, lambda: on(*PREPARED, lambda x: x.cpu())),
    "copies on the kernels' stream": (
        streams, lambda: mock.patch.object(torch.cuda, "stream", contextlib.nullcontext)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_seen(name):
    check, planted = FAULTS[name]
    check()
    with planted(), pytest.raises((AssertionError, RuntimeError)):
        check()


STEP_FAULTS = {
    "numbers moved one by one": lambda: mock.patch.object(Bundle, "moved", apart),
    "numbers left on the CPU": lambda: mock.patch.object(Bundle, "moved", lambda self: self._tree),
    "a loss that the host asks for": lambda: on(
        ClsAndPatches, "forward", lambda out: (out.loss.item(), out)[1]
    ),
}


@pytest.mark.parametrize("name", STEP_FAULTS)
def test_it_is_seen_in_a_step(name, steps):
    with STEP_FAULTS[name](), pytest.raises((AssertionError, RuntimeError)):
        steps()


def test_a_step_without_a_fault_passes(steps):
    steps()
