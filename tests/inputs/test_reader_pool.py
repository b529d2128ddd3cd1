import os
import time
from dataclasses import replace

import numpy as np
import pytest
from fake_readers import CONTRACT, Counting

from featbank.errors import ReadError
from featbank.inputs import reading
from featbank.inputs.reader_pool import PoolConfig, ReaderPool

BATCHES = [range(start, min(start + 8, 60)) for start in range(0, 60, 8)]


def config(workers, slot_bytes=4096, **faults):
    return PoolConfig(
        reader=Counting(**faults), contract=CONTRACT, workers=workers, slot_bytes=slot_bytes
    )


def read_all(pool_config):
    found, refused = {}, {}
    with ReaderPool(pool_config) as pool:
        for rows, batch in zip(BATCHES, pool.read(BATCHES), strict=True):
            refused |= {rows[position]: why for position, why in batch.refused.items()}
            for group in batch.groups:
                for row, pixels in zip(group.rows, group.grids["g"], strict=True):
                    found[rows[row]] = (int(pixels[0, 0, 0]), pixels.shape)
    return found, refused


@pytest.fixture(scope="module")
def here():
    return read_all(config(0))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_processes_read_what_one_process_reads(workers, here):
    assert read_all(config(workers)) == here


def test_chips_larger_than_a_slot_travel_too(here):
    assert read_all(config(1, slot_bytes=1)) == here


def test_each_chip_is_its_own(here):
    found, _ = here
    assert all(value == row + 1 for row, (value, _) in found.items())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_batch_holds_until_the_next_but_one_is_taken(workers):
    # A device copies from it while the next one is submitted.
    with ReaderPool(config(workers)) as pool:
        before, values = None, None
        for batch in pool.read([*BATCHES, *BATCHES]):
            time.sleep(0.05)
            if before is not None:
                assert [g.grids["g"].copy().tobytes() for g in before.groups] == values
            before = batch
            values = [g.grids["g"].copy().tobytes() for g in batch.groups]


def test_chips_that_do_not_decode_are_refused_by_name(here):
    assert here[1][6] == "chip6: is torn"


def test_every_chip_is_found_or_refused(here):
    assert set(here[0]) | set(here[1]) == set(range(60))


def test_a_failing_disk_stops_the_run_after_retries(monkeypatch):
    monkeypatch.setattr(reading, "_WAITS_S", (0.0, 0.0))
    with pytest.raises(ReadError, match="chip11: cannot be read .Input/output error."):
        read_all(config(0, fail_at=11))


def test_a_failing_disk_in_a_process_stops_the_run_too():
    with pytest.raises(ReadError, match="chip11"):
        read_all(config(1, fail_at=11))


def test_a_read_that_recovers_is_no_failure(monkeypatch):
    monkeypatch.setattr(reading, "_WAITS_S", (0.0,))
    calls = []

    class Stumbling:
        def read(self, index):
            calls.append(index)
            if len(calls) == 1:
                raise OSError(5, "Input/output error")
            return {"g": np.arange(16, dtype=np.uint16).reshape(1, 4, 4)}

    assert len(reading.read_batch(Stumbling(), [0], CONTRACT).groups) == 1


def test_a_process_that_dies_is_a_named_error():
    with pytest.raises(ReadError, match="ended unexpectedly .exit code 9."):
        read_all(config(1, die_at=11))


def test_memory_ahead_is_bounded():
    taken = []

    def endless():
        for start in range(0, 8000, 8):
            taken.append(start)
            yield range(start, start + 8)

    with ReaderPool(config(2)) as pool:
        next(pool.read(endless()))
        time.sleep(0.1)
    assert len(taken) <= 6


def test_a_script_needs_no_main_guard(tmp_path):
    import subprocess
    import sys

    script = tmp_path / "plain.py"
    script.write_text(
        f"import sys; sys.path[:0] = {[path for path in sys.path if path]!r}\n"
        "import test_reader_pool as t\n"
        "print(len(t.read_all(t.config(1))[0]))\n"
    )
    out = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "52"


def test_reader_processes_never_import_torch():
    import subprocess
    import sys

    code = "import sys, featbank.inputs.reader_process; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.mark.parametrize("name", ["contextlib.py", "types.py", "numpy.py", "featbank/__init__.py"])
def test_readers_run_no_code_of_the_folder_that_the_user_stands_in(name, tmp_path, monkeypatch):
    trap, mark = tmp_path / name, tmp_path / "ran"
    trap.parent.mkdir(exist_ok=True)
    trap.write_text(f"open({str(mark)!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    # As in a notebook, where the first entry stands for the folder.
    monkeypatch.syspath_prepend("")
    found, _ = read_all(config(1))
    assert len(found) == 52
    assert not mark.exists()


@pytest.fixture
def full_memory(monkeypatch):
    def refuse(_descriptor, _start, _size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)


@pytest.mark.usefixtures("full_memory")
def test_readers_without_room_in_shared_memory_use_the_pipe(here):
    assert read_all(config(2)) == here


@pytest.mark.usefixtures("full_memory")
def test_a_pool_without_room_in_shared_memory_says_so():
    said = []
    with ReaderPool(replace(config(2), tell=said.append)):
        (line,) = said
    assert line.startswith("/dev/shm has no room for the")
    assert "2 of 2 send pixels through a pipe" in line


def test_a_pool_with_room_has_nothing_to_say():
    said = []
    with ReaderPool(replace(config(1), tell=said.append)):
        assert said == []


def test_slots_are_set_aside_before_they_are_used(monkeypatch):
    asked = []
    reserve = os.posix_fallocate
    monkeypatch.setattr(
        os, "posix_fallocate", lambda *spot: (asked.append(spot[2]), reserve(*spot))
    )
    with ReaderPool(config(1, slot_bytes=10_000)):
        assert asked == [30_000]


def test_memory_that_runs_out_in_a_reader_is_a_named_error():
    with pytest.raises(ReadError, match="a batch of 8 chips: does not fit into memory"):
        read_all(config(1, hungry_at=11))


def test_a_pool_whose_memory_cannot_be_unlocked_leaves_no_process():
    def broken():
        raise RuntimeError("the device is gone")

    pool = ReaderPool(config(2))
    workers = list(pool._workers)
    for worker in workers:
        worker._unlock = broken
    with pytest.raises(RuntimeError, match="gone"):
        pool.close()
    assert all(worker._process.poll() is not None for worker in workers)
