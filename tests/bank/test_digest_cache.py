import os
import sqlite3
import time

import pytest

from featbank.bank.digest_cache import FILE_NAME, DigestCache, Stamp

STAMP = Stamp(size=3, mtime_ns=5, ctime_ns=7, inode=11)
SHA = "ab" * 32


def keep(root, rows, *, may_write=True):
    with DigestCache(root, may_write=may_write) as cache:
        cache.keep(rows)


def found(root, *paths, may_write=True):
    with DigestCache(root, may_write=may_write) as cache:
        return cache.find(paths)


def test_what_is_kept_is_found(tmp_path):
    keep(tmp_path, [("a/b.tif", STAMP, SHA)])
    kept = found(tmp_path, "a/b.tif", "a/c.tif")
    assert list(kept) == ["a/b.tif"]
    assert kept["a/b.tif"] == (str(STAMP), SHA)


def test_names_that_are_not_utf8_are_kept(tmp_path):
    name = os.fsdecode(b"\xe9t\xe9.tif")
    keep(tmp_path, [(name, STAMP, SHA)])
    assert list(found(tmp_path, name)) == [name]


def test_more_paths_than_a_query_takes_are_found(tmp_path):
    names = [f"{number}.tif" for number in range(1203)]
    keep(tmp_path, [(name, STAMP, SHA) for name in names])
    assert len(found(tmp_path, *names)) == 1203


def test_inode_numbers_of_64_bits_are_kept(tmp_path):
    stamp = STAMP._replace(inode=2**64 - 1)
    keep(tmp_path, [("x", stamp, SHA)])
    assert found(tmp_path, "x")["x"].stamp == str(stamp)


DAMAGES = {"empty": b"", "text": b"text", "torn": b"SQLite format 3\x00" + b"\xff" * 4096}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_cache_is_rebuilt_in_silence(tmp_path, content, capfd):
    keep(tmp_path, [("x", STAMP, SHA)])
    (tmp_path / FILE_NAME).write_bytes(content)
    assert found(tmp_path, "x") == {}
    keep(tmp_path, [("y", STAMP, SHA)])
    assert list(found(tmp_path, "y")) == ["y"]
    assert capfd.readouterr() == ("", "")


def test_a_cut_cache_is_no_error(tmp_path):
    keep(tmp_path, [(f"{number}", STAMP, SHA) for number in range(2000)])
    data = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(data[: len(data) // 2])
    names = [f"{number}" for number in range(2000)]
    assert all(kept == (str(STAMP), SHA) for kept in found(tmp_path, *names).values())


def test_a_flipped_bit_never_becomes_a_digest(tmp_path):
    keep(tmp_path, [("x", STAMP, SHA)])
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE digests SET sha256 = ?", ("cd" * 32,))
    connection.close()
    assert found(tmp_path, "x") == {}


def test_a_table_of_another_format_is_rebuilt(tmp_path):
    keep(tmp_path, [("x", STAMP, SHA)])
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert found(tmp_path, "x") == {}
    keep(tmp_path, [("x", STAMP, SHA)])
    assert list(found(tmp_path, "x")) == ["x"]


def test_a_locked_cache_costs_time_alone(tmp_path, monkeypatch):
    keep(tmp_path, [("x", STAMP, SHA)])
    monkeypatch.setattr("featbank.bank.digest_cache._PATIENCE_S", 0.05)
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    keep(tmp_path, [("y", STAMP, SHA)])
    assert found(tmp_path, "x") == {}
    other.execute("ROLLBACK")
    other.close()
    assert list(found(tmp_path, "x", "y")) == ["x"]


def test_a_place_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    keep(tmp_path / "file" / "bank", [("x", STAMP, SHA)])
    assert found(tmp_path / "file" / "bank", "x") == {}


def test_a_rehearsal_writes_nothing(tmp_path):
    keep(tmp_path / "bank", [("x", STAMP, SHA)], may_write=False)
    assert not (tmp_path / "bank").exists()
    keep(tmp_path / "bank", [("x", STAMP, SHA)])
    before = (tmp_path / "bank" / FILE_NAME).read_bytes()
    keep(tmp_path / "bank", [("y", STAMP, SHA)], may_write=False)
    assert list(found(tmp_path / "bank", "x", "y", may_write=False)) == ["x"]
    assert (tmp_path / "bank" / FILE_NAME).read_bytes() == before


def test_nothing_is_written_through_a_link(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / FILE_NAME).symlink_to(victim)
    keep(tmp_path / "bank", [("x", STAMP, SHA)])
    assert victim.read_bytes() == b""


def test_two_processes_lose_no_entry(tmp_path):
    import subprocess
    import sys

    script = (
        "import sys; from pathlib import Path\n"
        "from featbank.bank.digest_cache import DigestCache, Stamp\n"
        "root, who = Path(sys.argv[1]), sys.argv[2]\n"
        "for number in range(10):\n"
        "    with DigestCache(root, may_write=True) as cache:\n"
        f"        cache.keep([(f'{{who}}-{{number}}', Stamp(1, 2, 3, 4), '{SHA}')])\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", script, tmp_path, who]) for who in "ab"]
    assert [run.wait() for run in runs] == [0, 0]
    names = [f"{who}-{number}" for who in "ab" for number in range(10)]
    assert len(found(tmp_path, *names)) == 20


def test_a_stamp_settles_once_a_change_would_leave_another():
    fine = Stamp(1, 10**18 + 5, 10**18 + 5, 1)
    assert [fine.is_settled(10**18 + later) for later in (10**6, 10**8)] == [False, True]
    coarse = Stamp(1, 10**18, 10**18, 1)
    assert [coarse.is_settled(10**18 + later) for later in (10**9, 3 * 10**9)] == [False, True]


def test_a_change_shows_in_the_stamp_though_size_and_time_are_set_back(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"one")
    before = Stamp.of(path.stat())
    time.sleep(0.02)
    path.write_bytes(b"two")
    os.utime(path, ns=(before.mtime_ns, before.mtime_ns))
    after = Stamp.of(path.stat())
    assert (after.size, after.mtime_ns, after.inode) == (3, before.mtime_ns, before.inode)
    assert after != before
