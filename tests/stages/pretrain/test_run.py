import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fake_dataset import RadarReader, radar
from tiny_training import Denoising, final_weights, spec, tiny_plan

from featbank.bank.checkpoints import read_checkpoint
from featbank.bank.lock import locked
from featbank.errors import DecodeError, LockedError, RefusedError, TrainingError, UsageError
from featbank.stages.pretrain.run import pretrain

STEPS = 12


def equal(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[n], other[n]) for n in one)


class Cut(BaseException):
    """Ends a run as an interruption does."""


def cut_at(step):
    def progress(done, _):
        if done == step:
            raise Cut

    return progress


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was not interrupted."""
    plan = tiny_plan(tmp_path_factory.mktemp("whole"), steps=STEPS)
    pretrain(plan)
    return plan


@pytest.mark.parametrize("step", [1, 4, 9])
def test_a_run_cut_anywhere_and_resumed_ends_with_the_same_weights(tmp_path, whole, step):
    plan = tiny_plan(tmp_path, steps=STEPS)
    with pytest.raises(Cut):
        pretrain(plan, progress=cut_at(step))
    pretrain(plan)
    assert equal(final_weights(plan), final_weights(whole))


def test_the_weights_that_are_compared_differ_between_seeds(tmp_path, whole):
    plan = tiny_plan(tmp_path, steps=STEPS, seed=1)
    pretrain(plan)
    assert not equal(final_weights(plan), final_weights(whole))


def test_a_run_in_reader_processes_ends_with_the_same_weights(tmp_path, whole):
    plan = tiny_plan(tmp_path, steps=STEPS, workers=2)
    pretrain(plan)
    assert equal(final_weights(plan), final_weights(whole))


def in_a_process(folder, then="0"):
    """A run in a process of its own; ``then`` is evaluated after each step, of ``d``."""
    script = "from pathlib import Path; from tiny_training import *; import sys, os\n"
    script += "from featbank.stages.pretrain.run import pretrain\n"
    script += f"plan = tiny_plan(Path(sys.argv[1]), steps={STEPS})\n"
    script += f"pretrain(plan, tell=print, progress=lambda d, n: {then})\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    words = [sys.executable, "-c", script, str(folder)]
    return subprocess.run(words, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_a_killed_process_resumed_ends_with_the_same_weights(tmp_path):
    # All three start alike: what a process did before may change the last bits of its products.
    killed = in_a_process(tmp_path / "cut", "os.kill(os.getpid(), 9) if d == 7 else 0")
    resumed = in_a_process(tmp_path / "cut")
    assert in_a_process(tmp_path / "whole").returncode == 0
    assert (killed.returncode, resumed.returncode) == (-signal.SIGKILL, 0)
    assert "goes on from step 4" in resumed.stdout
    plans = [tiny_plan(tmp_path / name, steps=STEPS) for name in ("cut", "whole")]
    assert equal(*map(final_weights, plans))


def test_a_log_survives_a_resume_without_double_rows(tmp_path, whole):
    plan = tiny_plan(tmp_path, steps=STEPS)
    with pytest.raises(Cut):
        pretrain(plan, progress=cut_at(6))
    pretrain(plan)
    log = pd.read_parquet(plan.path / "log.parquet")
    expected = pd.read_parquet(whole.path / "log.parquet")
    assert log["step"].tolist() == list(range(STEPS))
    assert log["loss"].tolist() == expected["loss"].tolist()


def test_a_stopped_run_leaves_a_checkpoint_that_says_so(tmp_path):
    plan = tiny_plan(tmp_path, steps=STEPS)
    with pytest.raises(Cut):
        pretrain(plan, progress=cut_at(6))
    record = read_checkpoint(plan.path)
    assert (record.steps, record.is_finished) == (4, False)


def test_a_finished_run_leaves_no_state_and_no_stray_file(whole):
    names = {path.name for path in whole.path.iterdir()}
    files = {"checkpoint.json", "encoder.safetensors", "heads.safetensors", "seen.parquet"}
    assert names == files | {"log.parquet", "tensorboard"}
    assert {path.name for path in whole.path.parent.iterdir()} == {whole.path.name}


def test_a_run_cut_while_its_end_is_probed_is_not_finished(tmp_path):
    plan = tiny_plan(tmp_path, steps=4, probe_every=1)

    def cut(_):
        raise Cut

    with pytest.raises(Cut):
        pretrain(plan, probe=cut)
    assert not read_checkpoint(plan.path).is_finished


def test_a_finished_run_is_not_done_again(whole):
    report = pretrain(whole)
    assert report.done == 0
    assert "already finished" in report.sentence()


def test_again_begins_anew(tmp_path):
    plan = tiny_plan(tmp_path, steps=STEPS)
    with pytest.raises(Cut):
        pretrain(plan, progress=cut_at(6))
    report = pretrain(replace(plan, options=replace(plan.options, again=True)))
    assert report.done == STEPS
    assert len(pd.read_parquet(plan.path / "log.parquet")) == STEPS


def test_two_runs_do_not_write_one_checkpoint(tmp_path):
    plan = tiny_plan(tmp_path, steps=2)
    with locked(plan.path, tell=print), pytest.raises(LockedError, match="is writing it"):
        pretrain(plan)


def test_micro_batches_give_the_loss_of_the_whole_batch(tmp_path):
    hyper = {"drop_path": 0.0}
    one, two = tiny_plan(tmp_path / "1", steps=6, hyper=hyper), None
    two = tiny_plan(tmp_path / "2", steps=6, hyper=hyper, micro_batch=3)
    losses = []
    for plan in (one, two):
        pretrain(plan)
        losses.append(pd.read_parquet(plan.path / "log.parquet")["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_training_lowers_the_loss(tmp_path):
    plan = tiny_plan(tmp_path, steps=50, hyper={"drop_path": 0.0}, save_every=0)
    pretrain(plan)
    loss = pd.read_parquet(plan.path / "log.parquet")["loss"]
    assert loss[-10:].mean() < 0.95 * loss[:10].mean()


def test_what_a_probe_says_stands_in_the_log(tmp_path):
    plan = tiny_plan(tmp_path, steps=STEPS, probe_every=2)
    asked = []

    def probe(path):
        asked.append(read_checkpoint(path).steps)
        return {"knn": 0.5}

    pretrain(plan, probe=probe)
    log = pd.read_parquet(plan.path / "log.parquet")
    assert asked == [8]
    assert log["step"][log["probe/knn"].notna()].tolist() == [7]


class Torn(RadarReader):
    def read(self, index):
        if index == 5:
            raise DecodeError("chip 5", "is torn", "a whole file", "Replace it.")
        return super().read(index)


def test_a_refused_chip_is_left_out_and_told(tmp_path):
    dataset = replace(radar(n=37), reader=Torn())
    report = pretrain(tiny_plan(tmp_path, steps=8, dataset=dataset, max_invalid=0.1))
    assert report.refused == {"chip-005": "chip 5: is torn"}


def test_too_many_refused_chips_stop_the_run(tmp_path):
    dataset = replace(radar(n=37), reader=Torn())
    with pytest.raises(RefusedError, match="chip-005: chip 5: is torn; expected at most 0 refused"):
        pretrain(tiny_plan(tmp_path, steps=8, dataset=dataset, max_invalid=0.0))


def test_one_image_is_too_few(tmp_path):
    with pytest.raises(UsageError, match="1 chips are to be trained on"):
        pretrain(tiny_plan(tmp_path, dataset=radar(n=1)))


class Diverging(Denoising):
    def forward(self, views, draws, numbers):
        out = super().forward(views, draws, numbers)
        return replace(out, loss=out.loss / (self.updates != 9))


def test_a_loss_that_is_not_finite_stops_the_run_and_leaves_the_last_good_state(tmp_path):
    plan = tiny_plan(tmp_path, steps=STEPS, method=spec(Diverging))
    with pytest.raises(TrainingError, match="the loss is inf at step 9"):
        pretrain(plan)
    states = sorted(path.name for path in (plan.path / "training").glob("*.json"))
    assert states == ["state-000000004.json", "state-000000008.json"]
    assert read_checkpoint(plan.path).steps == 8


def test_the_order_of_time_is_kept_in_the_report(whole, tmp_path):
    start = time.perf_counter()
    report = pretrain(tiny_plan(tmp_path, steps=4))
    assert 0 < report.waited_input_s < report.seconds < time.perf_counter() - start
    assert json.dumps(report.as_row())
