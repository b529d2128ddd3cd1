import numpy as np
import pytest
import torch
from tiny_training import final_weights, tiny_plan

from featbank.bank.checkpoints import is_checkpoint, read_checkpoint
from featbank.stages.pretrain.run import pretrain
from featbank.stages.pretrain.scale.parallel import Place
from featbank.stages.pretrain.states import due
from featbank.stages.pretrain.states.due import SaveDue


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def due_of(tmp_path, clock):
    def make(rank=0, world=1, **options):
        # An epoch has 4 steps.
        plan = tiny_plan(tmp_path, steps=40, **{"save_every": None, **options})
        return SaveDue(plan, Place(rank=rank, world=world, device=torch.device("cpu")), clock)

    return make


def test_a_run_that_began_just_now_is_not_saved(due_of):
    is_due = due_of()
    assert not any(is_due(done) for done in range(1, 40))


def test_a_run_is_saved_at_any_step_once_a_minute_has_passed(due_of, clock):
    is_due = due_of()
    clock.now += 59.9
    assert not is_due(7)
    clock.now += 0.1
    assert is_due(7)


@pytest.mark.parametrize(("took_s", "rest_s"), [(0.1, 60.0), (3.0, 150.0)])
def test_the_next_state_waits_a_minute_or_fifty_times_what_the_last_one_took(
    due_of, clock, took_s, rest_s
):
    is_due = due_of()
    with is_due.writing():
        clock.now += took_s
    clock.now += rest_s - 0.01
    assert not is_due(7)
    clock.now += 0.01
    assert is_due(7)


def test_a_run_that_is_asked_for_epochs_is_saved_after_those_alone(due_of, clock):
    is_due = due_of(save_every=2)
    clock.now += 1000
    assert [done for done in range(1, 40) if is_due(done)] == [8, 16, 24, 32]


def test_a_run_is_saved_where_it_is_probed(due_of):
    is_due = due_of(probe_every=3)
    assert [done for done in range(1, 40) if is_due(done)] == [12, 24, 36]


def test_the_end_of_a_run_is_always_saved(due_of):
    assert due_of()(40)


def test_several_processes_read_at_a_look_what_they_asked_at_the_one_before(
    due_of, clock, monkeypatch
):
    monkeypatch.setattr(due, "all_max", lambda value: value)
    is_due = due_of(world=2)
    clock.now += 1000
    assert [done for done in range(1, 40) if is_due(done)] == [20]


def test_what_was_asked_before_a_state_does_not_have_another_written_behind_it(
    due_of, clock, monkeypatch
):
    monkeypatch.setattr(due, "all_max", lambda value: value)
    is_due = due_of(world=2, probe_every=3)  # probed after steps 12, 24 and 36
    clock.now += 1000
    found = []
    for done in range(1, 40):
        if is_due(done):
            found.append(done)
            with is_due.writing():
                pass
    assert found == [12, 24, 36]


def test_the_clock_of_another_process_than_the_first_does_not_count(due_of, clock, monkeypatch):
    monkeypatch.setattr(due, "all_max", lambda value: value)
    is_due = due_of(rank=1, world=2)
    clock.now += 1000
    assert not any(is_due(done) for done in range(1, 40))


class Cut(BaseException):
    """Ends a run as an interruption does."""


def cut_at_7(done, _):
    if done == 7:
        raise Cut


@pytest.fixture
def any_time(monkeypatch):
    """States are due after every step."""
    monkeypatch.setattr(due, "LEAST_S", 0.0)
    monkeypatch.setattr(due, "SHARE", float("inf"))


def test_a_run_of_less_than_a_minute_is_saved_at_its_end_alone(tmp_path):
    plan = tiny_plan(tmp_path, save_every=None)
    with pytest.raises(Cut):
        pretrain(plan, progress=cut_at_7)
    assert not is_checkpoint(plan.path)


def test_a_run_goes_on_from_the_middle_of_an_epoch_and_ends_with_the_same_weights(
    tmp_path, any_time
):
    whole, cut = (tiny_plan(tmp_path / name, save_every=None) for name in ("whole", "cut"))
    pretrain(whole)
    with pytest.raises(Cut):
        pretrain(cut, progress=cut_at_7)
    assert read_checkpoint(cut.path).steps == 6
    assert pretrain(cut).done == 6
    expected = final_weights(whole)
    assert all(np.array_equal(found, expected[n]) for n, found in final_weights(cut).items())
