"""A run that is killed or interrupted half way loses only the shards it had not finished."""

import json
import signal
import subprocess
import sys
import time

import pytest
from fake_trees import same_trees

from featbank.bank import runlog

pytestmark = pytest.mark.slow
SHARD_ROWS = 128


@pytest.fixture(scope="module")
def command(aid100, tiny_weights):
    words = [sys.executable, "-m", "featbank", "embed", "--dataset", aid100, "--model", "vit-tiny"]
    words += ["--weights", tiny_weights, "--normalise", "half", "--limit", "175"]
    # 48 does not divide 128: with bf16, rows at the end of a shard tell a batch cut elsewhere.
    words += ["--shard-rows", SHARD_ROWS, "--batch-size", "48", "--image-size", "112", "--json"]
    return [str(word) for word in words]


def embed(command, bank):
    done = subprocess.run([*command, "--bank", bank], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def whole(command, tmp_path_factory):
    return embed(command, tmp_path_factory.mktemp("whole"))


def cut_off(command, bank, how):
    """Start the command, cut it off after its second commit, and give the store's path."""
    process = subprocess.Popen(
        [*command, "--bank", bank],
        stderr=subprocess.PIPE,
        # As from a terminal: a test run in the background inherits a Ctrl-C that is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        stores = list(bank.glob("stores/aid100/*.zarr"))
        if stores and len(runlog.read(stores[0])) >= 2:
            break
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(how)
    error = process.communicate(timeout=60)[1].decode()
    return process.returncode, error, stores[0]


@pytest.fixture(scope="module", params=[signal.SIGKILL, signal.SIGINT], ids=["kill", "ctrl-c"])
def resumed(request, command, tmp_path_factory):
    bank = tmp_path_factory.mktemp("cut")
    code, error, store = cut_off(command, bank, request.param)
    done = sum(line["rows"] for line in runlog.read(store))
    return {"how": request.param, "code": code, "error": error, "done": done} | embed(command, bank)


def test_it_was_cut_off_half_way(resumed, whole):
    assert 2 * SHARD_ROWS <= resumed["done"] < whole["embed"]["n"]


def test_only_unfinished_shards_are_embedded_again(resumed, whole):
    assert resumed["embed"]["embedded"] <= whole["embed"]["n"] - resumed["done"]


def test_the_store_equals_an_uninterrupted_one_byte_for_byte(resumed, whole):
    from pathlib import Path

    assert same_trees(Path(resumed["store"]), Path(whole["store"]))


def test_an_interruption_is_one_line_and_exit_1(resumed):
    if resumed["how"] == signal.SIGINT:
        assert (resumed["code"], "Traceback" in resumed["error"]) == (1, False)
        assert resumed["error"].strip() == "Interrupted. Repeat the command to go on."


def test_no_reader_process_outlives_the_run(resumed):
    import psutil

    # A process whose parent died belongs to the first process; others are another run's own.
    orphans = [
        process
        for process in psutil.process_iter(["cmdline", "ppid"])
        if process.info["ppid"] == 1 and "reader_process" in str(process.info["cmdline"])
    ]
    assert orphans == []
