import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_training import final_weights, tiny_plan
from two_processes import SETTINGS

from featbank.bank.checkpoints import read_checkpoint
from featbank.stages.pretrain.run import pretrain
from featbank.stages.pretrain.scale.parallel import (
    Engine,
    ParallelMethod,
    Place,
    is_first_process,
    joined,
    mean_over_processes,
)

SCRIPT = Path(__file__).resolve().parents[3] / "fakes" / "two_processes.py"
# Gradients are summed in another order: float32 rounding, 1e-7, grows over ten steps of AdamW,
# which divides by the root of small squares.
TOLERANCE = 2e-6


def in_two_processes(folder, **options):
    """Train in two gloo processes; give what they printed."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [*torchrun, str(SCRIPT), str(folder), json.dumps(options)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def outcome(folder):
    plan = tiny_plan(folder, **SETTINGS)
    return pd.read_parquet(plan.path / "log.parquet"), final_weights(plan)


def require_equal(one, other, tolerance=TOLERANCE):
    np.testing.assert_allclose(one[0]["loss"], other[0]["loss"], atol=tolerance)
    np.testing.assert_allclose(one[0]["gradient_norm"], other[0]["gradient_norm"], atol=1e-5)
    assert one[1].keys() == other[1].keys()
    for name, values in one[1].items():
        np.testing.assert_allclose(values, other[1][name], atol=tolerance, err_msg=name)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one process gives with the doubled batch."""
    folder = tmp_path_factory.mktemp("alone")
    pretrain(tiny_plan(folder, **SETTINGS))
    return outcome(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"micro_batch": 3}, {"shard": True, "recompute": True, "micro_batch": 2}],
    ids=["ddp", "fsdp2 with recomputation"],
)
def test_two_processes_give_what_one_gives_with_the_doubled_batch(tmp_path, alone, options):
    in_two_processes(tmp_path, **options)
    require_equal(outcome(tmp_path), alone)


@pytest.mark.slow
def test_two_processes_cut_and_resumed_give_what_one_gives(tmp_path, alone):
    # Sharded, a state is gathered from both processes and handed out again: the harder case.
    # It is saved by the clock of the first process, after each third step.
    cut = {"stop": 7, "shard": True, "save_every": None, "by_clock": True}
    assert in_two_processes(tmp_path / "two", **cut).count("cut") == 2
    assert read_checkpoint(tiny_plan(tmp_path / "two", **SETTINGS).path).steps == 6
    shutil.copytree(tmp_path / "two", tmp_path / "one")
    in_two_processes(tmp_path / "two", shard=True)
    pretrain(tiny_plan(tmp_path / "one", **SETTINGS))
    for folder in (tmp_path / "two", tmp_path / "one"):
        found = outcome(folder)
        assert found[0]["step"].tolist() == list(range(SETTINGS["steps"]))
        require_equal(found, alone)


@pytest.mark.slow
def test_sharded_processes_train_in_bfloat16_what_copies_of_the_network_train(tmp_path):
    for shard in (False, True):
        folder = tmp_path / str(shard)
        folder.mkdir()
        in_two_processes(folder, shard=shard, compute_dtype="bfloat16")
    copied, sharded = (tmp_path / str(shard) for shard in (False, True))
    dtypes = [json.loads((folder / "dtypes.json").read_text()) for folder in (copied, sharded)]
    assert dtypes[0] == dtypes[1]
    assert dtypes[0]["views"] == ["torch.float32"]
    assert dtypes[0]["loss"] == ["torch.float32", "torch.float32"]
    assert "torch.bfloat16" in dtypes[0]["encoder.blocks.0.attn"]
    require_equal(outcome(copied), outcome(sharded))


@pytest.mark.parametrize("options", [{"recompute": True}, {"shard": True}])
def test_options_of_several_processes_change_nothing_in_one(tmp_path, alone, options):
    pretrain(tiny_plan(tmp_path, **SETTINGS, **options))
    require_equal(outcome(tmp_path), alone, tolerance=0)


def with_gradients(folder):
    plan = tiny_plan(folder)
    place = Place(rank=0, world=1, device=torch.device("cpu"))
    trained = ParallelMethod(plan.method.build(plan.request), place, Engine())
    for parameter in trained.module.parameters():
        parameter.grad = torch.full_like(parameter, 0.5)
    # The last has no part in the loss.
    parameter.grad = None
    return trained, [p.grad for p in trained.module.parameters() if p.grad is not None]


@pytest.mark.parametrize(("limit", "factor"), [(0.0, 1), (1e9, 1), (0.1, None)])
def test_gradients_are_measured_and_scaled_down_to_the_limit(tmp_path, limit, factor):
    trained, gradients = with_gradients(tmp_path)
    expected = 0.5 * sum(gradient.numel() for gradient in gradients) ** 0.5
    assert trained.clip(limit).item() == pytest.approx(expected, rel=1e-5)
    factor = factor or limit / expected
    assert all(g.flatten()[0].item() == pytest.approx(0.5 * factor, rel=1e-3) for g in gradients)


def test_one_process_is_the_first_and_joins_none():
    with joined("cpu") as place:
        assert (place.rank, place.world, place.is_first) == (0, 1, True)
        assert not torch.distributed.is_initialized()
        assert mean_over_processes(torch.ones(2), place).tolist() == [1, 1]


@pytest.mark.parametrize(("rank", "is_first"), [("0", True), ("1", False)])
def test_the_first_process_is_known_from_the_environment(monkeypatch, rank, is_first):
    monkeypatch.setenv("RANK", rank)
    assert is_first_process() is is_first


def test_a_place_of_one_process_waits_for_none():
    Place(rank=0, world=1, device=torch.device("cpu")).wait()


# torch's compiler imports parts of torch that it has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_blocks_of_a_run_are_compiled_for_all_their_rates_of_drop_path(tmp_path, monkeypatch):
    from torch._dynamo import config

    monkeypatch.setattr(config, "recompile_limit", 8)
    plan = tiny_plan(tmp_path)
    place = Place(rank=0, world=1, device=torch.device("cpu"))
    ParallelMethod(plan.method.build(plan.request), place, Engine(compile=True))
    assert config.recompile_limit >= 64
