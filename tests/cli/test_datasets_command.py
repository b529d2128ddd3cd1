"""``featbank datasets`` fetches and checks, and its exit code tells."""

import io
import json
import sys
import zipfile
from dataclasses import replace

import pytest
from fake_server import Publisher, serving

from featbank.cli.main import run
from featbank.cli.step_bars import step_bars
from featbank.datasets import DATASETS
from featbank.remote import RemoteFile
from featbank.sources import fetching


def test_a_good_copy_exits_with_0(chips, capsys):
    assert run(["datasets", "--check", str(chips)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "chips: 24 samples, all good"
    assert "split random-0" in out


def test_a_broken_copy_exits_with_1_and_names_the_chip(chips, capsys):
    (chips / "class1" / "04.png").write_text("torn")
    assert run(["datasets", "--check", str(chips)]) == 1
    out = capsys.readouterr().out
    assert "Chips refused: 1" in out
    assert "class1/04" in out
    assert out.splitlines()[-1].startswith("chips: broken: 1 of 24 chips refused")


def test_long_lists_are_cut_on_the_page_and_whole_in_json(tmp_path, capsys):
    from fake_chips import write_chips

    folder = write_chips(tmp_path / "many", chips=12)
    for path in folder.glob("class[01]/*.png"):
        path.write_text("torn")
    # Opening looks at few files; the first ones must be good.
    (folder / "class0" / "00.png").write_bytes((folder / "class2" / "00.png").read_bytes())
    assert run(["datasets", "--check", str(folder)]) == 1
    assert "and 3 more" in capsys.readouterr().out
    assert run(["datasets", "--check", str(folder), "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["refused"]) == 23


def test_a_name_in_brackets_is_no_markup(chips, capsys):
    (chips / "class1").rename(chips / "[red]class1")
    (chips / "[red]class1" / "04.png").write_text("torn")
    run(["datasets", "--check", str(chips)])
    assert "[red]class1/04" in capsys.readouterr().out


def test_a_tampered_file_exits_with_1(chips, tmp_path, capsys):
    (tmp_path / "list.csv").write_text(f"path,bytes,sha256\nx/class0/00.png,1,{'0' * 64}\n")
    manifest = ("--manifest", str(tmp_path / "list.csv"))
    assert run(["datasets", "--check", str(chips), *manifest]) == 1
    out = capsys.readouterr().out
    assert "Files altered: 1" in out
    assert "1 of 1 listed files are here, 0 the same; 23 files" in out


@pytest.mark.parametrize(
    "args",
    [
        ("--check", "a", "--download", "b"),
        ("--manifest", "x.csv"),
        ("--chips", "3"),
        ("--data-root", "x"),
        ("--download", "synthetic-s2", "--splits", "x"),
    ],
)
def test_options_without_their_partner_are_wrong_usage(args, capsys):
    assert run(["datasets", *args]) == 2
    assert "; expected " in capsys.readouterr().err


def test_a_dataset_is_fetched_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("ds/a.txt", "hello")
    with serving(Publisher(content.getvalue())) as publisher:
        file = RemoteFile(name="ds.zip", url=publisher.url, unpack=True, makes="ds")
        spec = replace(DATASETS["folder"], name="tiny", files=(file,))
        monkeypatch.setattr(fetching, "DATASETS", {"tiny": spec})
        args = ["datasets", "--download", "tiny", "--data-root", str(tmp_path)]
        assert run(args) == 0
        assert capsys.readouterr().out.startswith(f"tiny: fetched {tmp_path}/ds.")
        assert run(args) == 0
        assert "all of it is here already" in capsys.readouterr().out
        assert run([*args, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"dataset": "tiny", "made": []}


def test_a_dataset_that_nobody_offers_is_one_line(tmp_path, capsys):
    assert run(["datasets", "--download", "folder", "--data-root", str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_bars_on_a_terminal_show_each_step(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with step_bars(counts_bytes=True) as progress:
        progress("downloading a.zip", 5_000_000, None)
        progress("unpacking a.zip", 1_000_000, 2_000_000)
    assert "downloading a.zip" in sys.stderr.getvalue()
    assert "1.0/2.0 MB" in sys.stderr.getvalue()


def test_no_bars_where_nobody_watches(capsys):
    with step_bars(counts_bytes=False) as progress:
        progress("checking chips", 1, 2)
    assert capsys.readouterr().err == ""
