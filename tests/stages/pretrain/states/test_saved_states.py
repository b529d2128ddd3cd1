import os
import resource
import subprocess
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from tiny_training import final_weights, tiny_plan

from featbank.bank.checkpoints import read_checkpoint
from featbank.errors import TrainingError
from featbank.stages.pretrain.run import pretrain
from featbank.stages.pretrain.states.saving import State, StateFolder


def state(step, size=4):
    tensors = {"a": torch.arange(size) + step, "b/c": torch.full((), step, dtype=torch.float64)}
    return State(step=step, tensors=tensors, watch={"first": {"x": step / 3}})


@pytest.fixture
def folder(tmp_path):
    return StateFolder(tmp_path, recipe_id="one", keep=1)


def test_a_state_comes_back_as_it_was(folder):
    folder.write(state(5))
    found = folder.newest(tell=pytest.fail)
    assert (found.step, found.watch) == (5, {"first": {"x": 5 / 3}})
    assert all(torch.equal(found.tensors[n], state(5).tensors[n]) for n in ("a", "b/c"))


def test_the_newest_state_and_one_beside_it_are_kept(folder):
    for step in (1, 2, 3):
        folder.write(state(step))
    names = sorted(path.name for path in folder.path.iterdir())
    expected = [f"state-{step:09d}{end}" for step in (2, 3) for end in (".json", ".safetensors")]
    assert names == expected


def test_tensors_that_share_memory_are_kept_each(folder):
    one = torch.arange(4)
    folder.write(State(step=1, tensors={"a": one, "b": one, "c": one[1:]}, watch={}))
    found = folder.newest(tell=pytest.fail).tensors
    assert found["c"].tolist() == [1, 2, 3]
    assert found["b"].tolist() == [0, 1, 2, 3]


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-3])


def with_another_bit(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("harm", [cut_short, with_another_bit, os.unlink])
@pytest.mark.parametrize("end", [".safetensors", ".json"])
def test_a_harmed_state_gives_way_to_the_one_before(folder, harm, end):
    folder.write(state(1))
    folder.write(state(2))
    harm(folder.path / f"state-000000002{end}")
    told = []
    assert folder.newest(tell=told.append).step == 1
    # A state without its record is one that was never finished.
    assert len(told) == (0 if end == ".json" and harm is os.unlink else 1)


def test_a_state_of_another_run_is_left_out(folder, tmp_path):
    folder.write(state(1))
    told = []
    assert StateFolder(tmp_path, recipe_id="two", keep=1).newest(tell=told.append) is None
    assert "of another run" in told[0]


def test_what_a_killed_process_left_half_written_is_swept(folder):
    folder.write(state(1))
    # Beyond the largest number that a process may have: whoever is number 77 here may be alive.
    stray = folder.path / ".state-000000002.safetensors.4194305.partial"
    stray.write_bytes(b"half")
    assert folder.newest(tell=pytest.fail).step == 1
    assert not stray.exists()


@contextmanager
def largest_file(size):
    """Files end at a size, as they do on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files(path):
    return {p.name: p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def test_a_state_that_does_not_fit_leaves_the_former_ones_as_they_were(folder):
    folder.write(state(1))
    before = files(folder.path)
    with largest_file(1 << 16), pytest.raises(TrainingError) as caught:
        folder.write(state(2, size=100_000))
    assert "training: cannot be written (File too large); expected" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files(folder.path) == before


def sized(step, size):
    """From a step on files end at a size."""

    def progress(done, _):
        if done == step:
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    return progress


def test_a_run_whose_disk_fills_stops_with_its_last_state_and_goes_on_once_there_is_room(tmp_path):
    whole, plan = tiny_plan(tmp_path / "whole"), tiny_plan(tmp_path / "filled")
    pretrain(whole)
    with largest_file(resource.RLIM_INFINITY), pytest.raises(TrainingError, match="Make room"):
        pretrain(plan, progress=sized(5, 9_000))
    assert read_checkpoint(plan.path).steps == 4
    assert not list(plan.path.rglob("*.partial"))
    told = []
    pretrain(plan, tell=told.append)
    assert "goes on from step 4" in told[0]
    expected = final_weights(whole)
    assert all(np.array_equal(a, expected[name]) for name, a in final_weights(plan).items())


@pytest.fixture
def small_disk(tmp_path):
    """A true file system of 700 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_true_disk_that_fills_gives_one_line_and_keeps_the_last_state(small_disk):
    plan = tiny_plan(small_disk)

    def fill(done, _):
        if done == 5:
            left = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
            (small_disk / "other").write_bytes(bytes(max(left - 40_000, 0)))

    with pytest.raises(TrainingError, match="No space left on device") as caught:
        pretrain(plan, progress=fill)
    assert "\n" not in str(caught.value)
    assert read_checkpoint(plan.path).steps == 4
    assert not list(plan.path.rglob("*.partial"))
    (small_disk / "other").unlink()
    assert pretrain(plan).done == 8
