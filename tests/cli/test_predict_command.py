"""``featbank probe --save`` and ``featbank predict``, from shell to file."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from labelled_store import N, make_labelled_store

from featbank.cli.main import run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Store, bank and id of a saved probe of several labels."""
    root = tmp_path_factory.mktemp("labels")
    store, bank = make_labelled_store(root / "s.zarr"), root / "bank"
    args = ["probe", "--clf", "knn", "--resamples", "5", "--store", str(store), "--save"]
    assert run([*args, "--bank", str(bank)]) == 0
    (folder,) = (bank / "probes").iterdir()
    return str(store), str(bank), folder.name


@pytest.fixture
def call(made, tmp_path, monkeypatch, capsys):
    store, bank, result = made
    monkeypatch.chdir(tmp_path)

    def run_and_read(*args, source=store, probe=result[:6]):
        code = run(["predict", source, "--probe", probe, "--bank", bank, *args])
        return code, capsys.readouterr()

    return run_and_read


def test_probe_says_how_to_use_what_it_saved(made, capsys):
    store, bank, result = made
    args = ["probe", "--clf", "knn", "--resamples", "5", "--store", store, "--save"]
    assert run([*args, "--bank", bank]) == 0
    out = capsys.readouterr().out.replace("\n", " ")
    assert f"featbank predict --probe {result} IMAGES|STORE" in out


def test_probe_names_what_it_saved_as_json(made, capsys):
    store, bank, result = made
    args = ["probe", "--clf", "knn", "--resamples", "5", "--store", store, "--save", "--json"]
    run([*args, "--bank", bank])
    assert json.loads(capsys.readouterr().out)["saved_path"].endswith(result)


def test_one_line_says_what_was_done(call):
    code, said = call("--out", "p.csv")
    assert code == 0
    assert said.out.startswith(f"p.csv: {N} of {N} samples predicted at 0.5: ")
    assert said.out.count("\n") == 1
    assert said.err == ""


def test_a_file_stands_where_it_was_asked_for(call):
    call("--out", "p.csv", "--threshold", "tuned-f2")
    assert len(pd.read_csv("p.csv")) == N
    assert json.loads(Path("p.csv.json").read_text())["threshold"] == "tuned-f2"


def test_a_file_is_named_after_dataset_and_probe_in_the_bank(call, made):
    call()
    table = Path(made[1]) / "predictions" / f"made-{made[2][:8]}.csv"
    assert len(pd.read_csv(table)) == N
    assert os.listdir() == []


def test_json_names_the_file(call):
    _, said = call("--out", "p.parquet", "--json")
    found = json.loads(said.out)
    assert found["predictions"] == "p.parquet"
    assert found["predict"]["n"] == N


def test_predictions_may_be_repeated(call):
    call("--out", "p.csv")
    assert call("--out", "p.csv")[0] == 0


def test_another_file_is_written_over_when_that_is_said(call):
    Path("p.csv").write_text("mine")
    assert call("--out", "p.csv")[0] == 2
    assert Path("p.csv").read_text() == "mine"
    assert call("--out", "p.csv", "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("args", "named", "code", "line"),
    [
        ([], {"probe": "zzz"}, 1, "--probe zzz: no saved probe of bank"),
        ([], {"source": "no.zarr"}, 1, "no.zarr: there is no store here"),
        ([], {"source": "synthetic-s3"}, 1, "synthetic-s3: no dataset has this name"),
        ([], {"source": "no/folder"}, 1, "no/folder: there is no such folder, dataset or store"),
        (["--out", "p.tif"], {}, 2, "--out p.tif: its suffix is '.tif'"),
        (["--out", "no/p.csv"], {}, 1, "--out no/p.csv: its folder is not there"),
        (["--threshold", "best"], {}, 2, "--threshold best: the probe has no thresholds"),
        (["--weights", "w.pth"], {}, 2, "--weights: "),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(call, args, named, code, line):
    found, said = call(*args, **named)
    assert (found, said.out) == (code, "")
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1
    assert os.listdir() == []


def test_help_starts_with_an_example(capsys):
    assert run(["predict", "--help"]) == 0
    assert "featbank predict --probe 1f0c path/to/new/chips" in capsys.readouterr().out
