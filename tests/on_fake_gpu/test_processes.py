"""Where a process of several stands: its own GPU, its own random numbers, time for the first."""

import warnings
from datetime import timedelta
from unittest import mock

import pytest
import torch
from fake_gpu import cuda
from fake_gpu.tracing import traced
from tiny_training import tiny_plan
from torch import distributed

from featbank.stages.pretrain.run import pretrain
from featbank.stages.pretrain.scale.arriving import Arriving
from featbank.stages.pretrain.scale.parallel import Place, joined
from featbank.stages.pretrain.states import due
from featbank.stages.pretrain.states.due import SaveDue
from featbank.stages.pretrain.steps.ahead import Ahead


@pytest.fixture
def eight(monkeypatch):
    """A machine of eight GPUs, on which torchrun started this process as the fourth."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    for name, value in {"WORLD_SIZE": "8", "RANK": "3", "LOCAL_RANK": "3"}.items():
        monkeypatch.setenv(name, value)


def test_a_process_joins_with_its_own_device_and_time_for_a_long_probe(eight):
    with (
        mock.patch.object(distributed, "init_process_group") as init,
        mock.patch.object(distributed, "get_rank", return_value=3),
        mock.patch.object(distributed, "barrier"),
        mock.patch.object(distributed, "destroy_process_group"),
        joined("cuda") as place,
    ):
        assert (place.rank, place.world, place.device) == (3, 8, torch.device("cuda", 3))
    assert init.call_args.args == ("nccl",)
    assert init.call_args.kwargs["device_id"] == torch.device("cuda", 3)
    assert init.call_args.kwargs["timeout"] >= timedelta(hours=1)


def test_a_run_on_a_machine_of_several_gpus_warns_of_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pretrain(tiny_plan(tmp_path, steps=1)).done == 1


def test_several_processes_agree_on_when_to_save_without_waiting_for_their_gpus(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(due, "all_max", lambda value: value)
    plan = tiny_plan(tmp_path, steps=100, save_every=None)
    place = Place(rank=0, world=2, device=torch.device("cuda"))
    is_due = SaveDue(plan, place, iter(range(0, 100_000, 30)).__next__)
    with traced() as trace:
        saved = [done for done in range(1, 100) if is_due(done)]
    assert saved
    assert (trace.waits, trace.blocking) == ([], [])


def test_the_thread_that_makes_steps_ahead_works_on_the_gpu_of_its_process():
    cuda.chosen.clear()
    ahead = Ahead(iter(range(3)), torch.device("cuda", 3))
    assert list(ahead) == [0, 1, 2]
    assert cuda.chosen == [torch.device("cuda", 3)]


def test_numbers_that_have_not_arrived_are_waited_for(monkeypatch):
    monkeypatch.setattr(cuda.Event, "query", lambda _: False)
    with traced() as trace:
        arriving = Arriving(torch.ones(2, device="cuda"))
        assert not arriving.are_there
        assert trace.waits == []
        assert arriving.read()[0].tolist() == [1, 1]
    assert trace.waits == ["Event.synchronize"]
    # Recorded behind the copy that it stands for.
    assert [mark.copies_out for mark in trace.marks] == [1]
