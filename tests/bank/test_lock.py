"""One writer at a time: nothing is lost to another process, to a dead owner, or through a link."""

import json
import os
import subprocess
import sys
import time

import pytest

from featbank.bank import lock, runlog
from featbank.bank.bank import Bank
from featbank.bank.lock import changing, locked
from featbank.errors import FeatbankWarning, LinkError, LockedError

PROCESSES, NOTES = 4, 50
NOTING = """
import sys; from pathlib import Path
from featbank.bank.bank import Bank
root, who = Path(sys.argv[1]), sys.argv[2]
for number in range(int(sys.argv[3])):
    Bank(root).remember_source(root / "stores" / "d" / f"{who}-{number}.zarr", {"dataset": who})
    Bank(root).remember_newest(root / "stores" / "d" / f"{who}-{number}.zarr")
"""
LOGGING = """
import sys; from pathlib import Path
from featbank.bank import runlog
for number in range(int(sys.argv[3])):
    runlog.append(Path(sys.argv[1]), {"who": sys.argv[2], "n": number, "pad": "x" * 3000})
"""
HOLDING = """
import sys; from pathlib import Path
from featbank.bank.lock import {how}
with {how}(Path(sys.argv[1]){tell}):
    print("held", flush=True)
    sys.stdin.read()
"""


def processes(code, *args):
    command = [[sys.executable, "-c", code, *map(str, args[:1]), str(k), *map(str, args[1:])]
               for k in range(PROCESSES)]  # fmt: skip
    running = [subprocess.Popen(each) for each in command]
    assert [each.wait() for each in running] == [0] * PROCESSES


def test_notes_of_several_processes_are_all_kept(tmp_path):
    processes(NOTING, tmp_path, NOTES)
    kept = json.loads((tmp_path / "sources.json").read_text())
    assert len(kept) == PROCESSES * NOTES
    assert json.loads((tmp_path / "newest.json").read_text())["store"].endswith("-49.zarr")
    assert sorted(os.listdir(tmp_path)) == ["newest.json", "sources.json"]


def test_lines_of_several_processes_are_all_whole(tmp_path):
    processes(LOGGING, tmp_path / "s.zarr", NOTES)
    lines = runlog.read(tmp_path / "s.zarr")
    assert {(line["who"], line["n"]) for line in lines} == {
        (str(who), n) for who in range(PROCESSES) for n in range(NOTES)
    }


def holder(path, how):
    code = HOLDING.format(how=how, tell=", tell=print" if how == "locked" else "")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], **pipes)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_dead_owner_holds_nothing(tmp_path):
    process = holder(tmp_path / "sources.json", "changing")
    process.kill()
    process.communicate()
    start = time.monotonic()
    Bank(tmp_path).remember_source(tmp_path / "a.zarr", {"dataset": "d"})
    assert time.monotonic() - start < 5
    assert Bank(tmp_path).source(tmp_path / "a.zarr") == {"dataset": "d"}


def test_a_living_owner_is_waited_for_and_then_named(tmp_path, monkeypatch):
    process = holder(tmp_path / "sources.json", "changing")
    monkeypatch.setattr(lock, "_PATIENCE_S", 0.2)
    with pytest.raises(LockedError, match=f"process {process.pid} on .* is writing it"):
        Bank(tmp_path).remember_source(tmp_path / "a.zarr", {})
    process.communicate("")


def test_a_store_that_another_process_writes_is_refused_at_once(tmp_path):
    process = holder(tmp_path / "s.zarr", "locked")
    with (
        pytest.raises(LockedError, match=f"process {process.pid}"),
        locked(tmp_path / "s.zarr", tell=print),
    ):
        pass
    process.communicate("")


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "7", "{}", '{"pid": null}', "\x00\xff"])
def test_a_lock_file_that_says_nothing_is_taken_over(tmp_path, text):
    (tmp_path / "s.zarr.lock").write_text(text)
    with locked(tmp_path / "s.zarr", tell=pytest.fail):
        held = json.loads((tmp_path / "s.zarr.lock").read_text())
    assert held["pid"] == os.getpid()


def test_a_dead_owner_is_told_of(tmp_path):
    (tmp_path / "s.zarr.lock").write_text('{"pid": 7, "host": "there"}')
    told = []
    with locked(tmp_path / "s.zarr", tell=told.append):
        pass
    assert told == ["s.zarr: taking over from process 7 on there, which ended before it was done"]


@pytest.mark.parametrize("is_there", [True, False])
def test_no_lock_is_written_through_a_link(tmp_path, is_there):
    victim = tmp_path / "victim"
    if is_there:
        victim.write_text("precious")
    for name, hold in (
        ("s.zarr.lock", lambda p: locked(p, tell=print)),
        (".s.zarr.lock", changing),
    ):
        (tmp_path / name).symlink_to(victim)
        with pytest.raises(LinkError, match="is a symbolic link"), hold(tmp_path / "s.zarr"):
            pass
    assert victim.exists() == is_there
    assert not is_there or victim.read_text() == "precious"


def test_no_line_is_written_through_a_link(tmp_path):
    (tmp_path / "victim").write_text("precious\n")
    runlog.log_path(tmp_path / "s.zarr").symlink_to(tmp_path / "victim")
    with pytest.raises(LinkError, match=r"s.zarr.runs.jsonl: is a symbolic link"):
        runlog.append(tmp_path / "s.zarr", {})
    assert (tmp_path / "victim").read_text() == "precious\n"


def test_notes_replace_a_link_and_leave_what_it_leads_to(tmp_path):
    bank, victim = tmp_path / "bank", tmp_path / "victim"
    bank.mkdir()
    victim.write_text('{"precious": {}}')
    for name in ("newest.json", "sources.json"):
        (bank / name).symlink_to(victim)
    Bank(bank).remember_newest(bank / "stores" / "a.zarr")
    Bank(bank).remember_source(bank / "stores" / "a.zarr", {})
    assert victim.read_text() == '{"precious": {}}'


def test_a_bank_and_its_stores_may_be_links_themselves(tmp_path):
    (tmp_path / "disk" / "stores").mkdir(parents=True)
    (tmp_path / "bank").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "bank")
    (tmp_path / "bank" / "stores").symlink_to(tmp_path / "disk" / "stores")
    home = Bank(tmp_path / "linked")
    with locked(home.stores_folder / "a.zarr", tell=print):
        (home.stores_folder / "a.zarr").mkdir()
        runlog.append(home.stores_folder / "a.zarr", {"rows": 1})
    home.remember_newest(home.stores_folder / "a.zarr")
    home.remember_source(home.stores_folder / "a.zarr", {"dataset": "d"})
    assert home.newest() == home.stores_folder / "a.zarr"
    assert home.source(home.newest()) == {"dataset": "d"}


def test_a_log_goes_on_after_a_line_that_a_killed_process_left(tmp_path):
    path = runlog.log_path(tmp_path / "s.zarr")
    path.write_text('{"rows": 1}\n{"rows"')
    runlog.append(tmp_path / "s.zarr", {"rows": 2})
    assert [line["rows"] for line in runlog.read(tmp_path / "s.zarr")] == [1, 2]


def test_notes_that_are_damaged_are_set_aside_and_said(tmp_path):
    (tmp_path / "sources.json").write_text("{")
    with pytest.warns(FeatbankWarning, match=r"sources.json: is cut .*sources.json.damaged"):
        Bank(tmp_path).remember_source(tmp_path / "a.zarr", {"dataset": "d"})
    assert (tmp_path / "sources.json.damaged").read_text() == "{"
    assert Bank(tmp_path).source(tmp_path / "a.zarr") == {"dataset": "d"}
