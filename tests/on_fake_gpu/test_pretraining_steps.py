"""Steps of the true loop on the device: what they copy, what they wait for, what they give."""

from dataclasses import replace
from functools import lru_cache
from unittest import mock

import pytest
import torch
from fake_gpu.tracing import traced
from tiny_training import tiny_plan

from featbank.methods import METHODS
from featbank.methods.method import Teacher
from featbank.stages.pretrain.loop import train
from featbank.stages.pretrain.run import training_of
from featbank.stages.pretrain.scale.parallel import Place
from featbank.stages.pretrain.steps.feed import Feed
from featbank.stages.pretrain.watching import recording
from featbank.stages.pretrain.watching.recording import Recorder
from tests.stages.pretrain.test_methods_in_the_loop import SMALL

EACH = pytest.mark.parametrize("name", list(METHODS))
CLOCKED = {"images_per_s", "waited_share"}
# Every distortion there is.
DISTORTED = {"band_drop": 0.2, "speckle_looks": 3.0, "quarter_turns": True, "band_contrast": True}


def hyper_of(name):
    known = METHODS[name].hyper
    return {**known, **{key: value for key, value in (SMALL | DISTORTED).items() if key in known}}


def plan_of(folder, name, **options):
    spec = METHODS[name]
    plan = tiny_plan(folder, steps=24, method=spec, hyper=hyper_of(name), **options)
    if not spec.needs_teacher:
        return plan
    teacher = METHODS["dinov2"].build(replace(plan.request, hyper=hyper_of("dinov2")))
    kept = Teacher(
        config=plan.request.config,
        state=dict(teacher.kept()),
        heads=dict(teacher.heads()),
        hyper=hyper_of("dinov2"),
    )
    return replace(plan, request=replace(plan.request, teacher=kept))


class Steps:
    """The steps of a run, one after another, recorded as a run records them."""

    def __init__(self, plan, device):
        place = Place(rank=0, world=1, device=torch.device(device))
        training = training_of(plan, place)
        self.feed = Feed(plan, place)
        self._results = train(training, self.feed.ready(0, training.drawing))
        self._recorder = Recorder(
            place,
            batch_size=plan.length.batch_size,
            steps_per_epoch=plan.length.steps_per_epoch,
            waited_s=lambda: self.feed.waited_s,
        )

    def do(self, count):
        """Rows of that many steps."""
        return [row for _ in range(count) for row in self._recorder.add(next(self._results))]

    def close(self):
        self._results.close()
        self.feed.close()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Rows of four steps by method and device, and what the last three had the device do."""
    return lru_cache(lambda name, device: run(tmp_path_factory.mktemp("run"), name, device))


def run(folder, name, device="cuda", **options):
    steps = Steps(plan_of(folder, name, **options), device)
    try:
        with mock.patch.object(recording, "EVERY", 2):
            first = steps.do(1)
            with traced() as trace:
                return first + steps.do(3), trace
    finally:
        steps.close()


@EACH
def test_a_step_copies_its_pixels_and_its_numbers_and_nothing_else(ran, name):
    trace = ran(name, "cuda")[1]
    # The chips have one grid.
    assert len(trace.copies_in) == 3 * 2
    assert trace.blocking == []


@EACH
def test_a_run_waits_for_nothing_between_its_logs(ran, name):
    assert ran(name, "cuda")[1].waits == []


@EACH
def test_a_run_gives_what_it_gives_on_the_cpu(ran, name):
    rows = [ran(name, device)[0] for device in ("cpu", "cuda")]
    assert [set(row) for row in rows[0]] == [set(row) for row in rows[1]]
    for one, other in zip(*rows, strict=True):
        same = {key: value for key, value in one.items() if key not in CLOCKED}
        assert {key: other[key] for key in same} == pytest.approx(same, rel=2e-3, abs=1e-4)


def test_micro_batches_are_copied_together(tmp_path):
    trace = run(tmp_path, "dinov2", micro_batch=3)[1]
    assert (len(trace.copies_in), trace.blocking) == (3 * 2, [])
