"""Files are written whole, under names that tell who writes them, and through no link."""

import errno
import os
import socket
import subprocess
import sys
import time

import pytest

from featbank import disk
from featbank.errors import LinkError


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    disk.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_former_file_and_no_other(tmp_path, monkeypatch, call):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def fails(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, fails)
    with pytest.raises(OSError, match="No space left") as caught:
        disk.write_atomically(path, b"new")
    assert caught.value.filename == str(path)
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == {
        "a.json": b"old"
    }


def test_file_and_folder_are_flushed(tmp_path, monkeypatch):
    flushed, fsync = [], os.fsync

    def watched(descriptor):
        flushed.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    disk.write_atomically(tmp_path / "a.json", b"x")
    assert flushed[0].endswith(".partial")
    assert flushed[-1] == str(tmp_path)


def test_a_link_is_replaced_and_what_it_leads_to_is_not_touched(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "a.json").symlink_to(victim)
    disk.write_atomically(tmp_path / "a.json", b"new")
    assert victim.read_text() == "precious"
    assert not (tmp_path / "a.json").is_symlink()


def test_a_link_in_the_place_of_the_hidden_file_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    disk.partial(tmp_path / "a.json").symlink_to(victim)
    disk.write_atomically(tmp_path / "a.json", b"new")
    assert victim.read_text() == "precious"


def test_a_file_that_is_changed_in_place_is_no_link(tmp_path):
    (tmp_path / "log").symlink_to(tmp_path / "victim")
    with pytest.raises(LinkError, match="log: is a symbolic link to .*victim"):
        disk.open_in_place(tmp_path / "log")
    assert not (tmp_path / "victim").exists()


def _partial_of_another(folder, *, dies):
    code = (
        "import sys, time; from pathlib import Path; from featbank import disk\n"
        "path = disk.partial(Path(sys.argv[1]) / 'a.json'); path.touch(); print(path, flush=True)\n"
        "sys.stdin.read()"
    )
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], **pipe)
    path = process.stdout.readline().strip()
    if dies:
        process.kill()
        process.communicate()
    return process, path


def test_partial_files_of_the_living_stay_and_of_the_dead_go(tmp_path):
    living, kept = _partial_of_another(tmp_path, dies=False)
    _, stray = _partial_of_another(tmp_path, dies=True)
    disk.sweep(tmp_path)
    assert os.path.exists(kept)
    assert not os.path.exists(stray)
    living.communicate("")


def test_a_number_that_was_given_again_is_another_process(tmp_path):
    mine = disk.partial(tmp_path / "a").name
    start = mine.split("-")[-1].removesuffix(".partial")
    other = tmp_path / mine.replace(start, "0" * 8)
    other.touch()
    assert disk.is_stray(other)
    assert not disk.is_stray(disk.partial(tmp_path / "a"))


def test_a_partial_of_another_machine_is_a_stray_after_a_week(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    disk._machine.cache_clear()
    disk._owner.cache_clear()
    path = disk.partial(tmp_path / "a")
    monkeypatch.undo()
    disk._machine.cache_clear()
    disk._owner.cache_clear()
    path.touch()
    assert not disk.is_stray(path)
    old = time.time() - 8 * 24 * 3600
    os.utime(path, (old, old))
    assert disk.is_stray(path)


def test_what_is_no_partial_of_ours_is_never_a_stray(tmp_path):
    for name in (".a.partial", "a.b.partial", ".x.12ab.partial", ".a.uuid-uuid.partial"):
        (tmp_path / name).touch()
    disk.sweep(tmp_path)
    assert len(os.listdir(tmp_path)) == 4


def test_names_as_long_as_a_file_system_takes_can_be_written(tmp_path):
    disk.write_atomically(tmp_path / ("x" * 255), b"long")
    assert (tmp_path / ("x" * 255)).read_bytes() == b"long"
