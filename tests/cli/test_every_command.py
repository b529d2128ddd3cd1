"""Every command: on a disk that takes nothing more one line, exit 1 and nothing lost; and none
writes into the current folder unless told."""

import contextlib
import errno
import os
import resource
import shutil
from pathlib import Path

import pytest
from whole_bank import CHECKPOINT, make_whole_bank

from featbank.cli.main import group, run

# The kernel itself refuses each write beyond so many bytes (EFBIG), to whatever library writes.
ROOMS = (0, 700)
WRITING = {
    "embed": ["embed", "--model", "imagestats", "--dataset", "CHIPS", "--image-size", "12",
              "--workers", "0"],
    "probe": ["probe", "--clf", "knn", "--resamples", "7", "--save"],
    "map": ["map", "--projection", "pca"],
    "report": ["report", "--map", "none"],
    "report-md": ["report", "--format", "md", "--out", "BANK/out.md"],
    "figure": ["figure", "class-distribution"],
    "figure-svg": ["figure", "class-distribution", "--out", "BANK/new.svg"],
    "predict": ["predict", "--probe", "PROBE", "STORE"],
    "predict-parquet": ["predict", "--probe", "PROBE", "STORE", "--out", "BANK/p.parquet"],
    "export": ["export", "CHECKPOINT", "--to", "timm", "--out", "BANK/out"],
    "finetune": ["finetune", "--model", "CHECKPOINT", "--dataset", "CHIPS", "--epochs", "1",
                 "--workers", "0", "--batch-size", "8"],
    "pretrain": ["pretrain", "--method", "mae", "--model", "vit-tiny", "--dataset", "CHIPS",
                 "--epochs", "1", "--batch-size", "8", "--workers", "0", "--image-size", "32"],
}  # fmt: skip
READING = {
    "attend": None,  # needs a network's weights; its writing is tried in tests/bank
    "checkpoints": ["checkpoints"],
    "compare": ["compare", "--dataset", "chips"],
    "datasets": ["datasets"],
    "diff": None,  # needs two stores, and writes nothing
    "methods": ["methods"],
    "models": ["models"],
    "protocols": ["protocols"],
    "show": ["show", "STORE"],
    "stores": ["stores"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    make_whole_bank(root)
    return root


@pytest.fixture
def bank(made, tmp_path):
    return Path(shutil.copytree(made / "bank", tmp_path / "bank"))


def arguments(words, made, bank):
    (store,), (probe,) = bank.glob("stores/*/*.zarr"), (bank / "probes").iterdir()
    places = {"CHIPS": made / "chips", "STORE": store, "PROBE": probe.name,
              "CHECKPOINT": bank / "checkpoints" / "chips" / CHECKPOINT}  # fmt: skip
    filled = [str(places.get(word, word)).replace("BANK", str(bank)) for word in words]
    return [*filled, *(() if words[0] in ("export", "show", *_NO_BANK) else ("--bank", str(bank)))]


_NO_BANK = ("datasets", "methods", "models", "protocols")


CACHE = "digests.sqlite"


def files_of(folder):
    """Every file with its bytes, but locks, which tell who holds what, and the digests' cache.

    What was read of the images stays true whatever fails afterwards.
    """
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith((".lock", CACHE))
    }


@contextlib.contextmanager
def room(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def changed(before, after):
    """Files that were there and are no more what they were, and files left half written."""
    lost = [name for name in before if after.get(name) != before[name]]
    return lost, [name for name in after if name.endswith((".partial", ".part"))]


def one_line(said):
    assert "Traceback" not in said.err
    lines = [line for line in said.err.splitlines() if "expected" in line]
    assert len(lines) == 1, said.err
    return lines[0]


@pytest.mark.parametrize("size", ROOMS)
@pytest.mark.parametrize("name", WRITING)
def test_a_full_disk_is_one_line_and_loses_nothing(name, size, made, bank, capsys):
    before = files_of(bank)
    with room(size):
        code = run(arguments(WRITING[name], made, bank))
    assert code == 1
    line = one_line(capsys.readouterr())
    assert "File too large" in line
    assert str(bank) in line, "it names no file or folder of the bank"
    assert changed(before, files_of(bank)) == ([], [])


@pytest.mark.parametrize("name", [name for name, words in READING.items() if words])
def test_a_command_that_writes_nothing_needs_no_room(name, made, bank, capsys):
    # Once with room: numba keeps what it compiles the first time.
    run(arguments(READING[name], made, bank))
    with room(0):
        assert run(arguments(READING[name], made, bank)) == 0
    capsys.readouterr()


def test_every_command_is_tried_or_says_why_not():
    tried = {words[0] for words in WRITING.values()} | set(READING)
    assert tried == set(group.list_commands(None))


TOLD = {name: words for name, words in {**WRITING, **READING}.items() if words}


@pytest.mark.parametrize("name", TOLD)
def test_no_command_writes_into_the_current_folder(name, made, bank, capsys, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run(arguments(TOLD[name], made, bank)) == 0
    assert os.listdir() == []
    capsys.readouterr()


FAULTS = {"mkdir": errno.EROFS, "replace": errno.EIO, "fsync": errno.EDQUOT, "open": errno.EACCES}


@pytest.mark.parametrize("call", FAULTS)
@pytest.mark.parametrize("name", ["embed", "probe", "map", "report", "figure", "predict"])
def test_whatever_call_fails_is_one_line(name, call, made, bank, capsys, monkeypatch):
    real, words = getattr(os, call), arguments(WRITING[name], made, bank)
    before = files_of(bank)

    def fails(*args, **options):
        is_write = call != "open" or (len(args) > 1 and args[1] & (os.O_CREAT | os.O_WRONLY))
        if is_write and (call == "fsync" or str(bank) in str(args[0])):
            named = [] if call == "fsync" else [str(args[0])]
            raise OSError(FAULTS[call], os.strerror(FAULTS[call]), *named)
        return real(*args, **options)

    monkeypatch.setattr(os, call, fails)
    code = run(words)
    monkeypatch.undo()
    said = capsys.readouterr()
    if code:
        line = one_line(said)
        assert os.strerror(FAULTS[call]) in line
        assert str(bank) in line or call == "fsync"
    assert code == 1 or call == "mkdir"  # a folder that is there needs not be made
    assert changed(before, files_of(bank)) == ([], [])
