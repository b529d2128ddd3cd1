"""``featbank probe`` on a label set whose samples bear several labels."""

import json

import pytest
from labelled_store import make_labelled_store

from featbank.cli.main import run
from featbank.probes import PROBES


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("labels")
    return ("--store", str(make_labelled_store(root / "s.zarr")), "--bank", str(root / "bank"))


@pytest.fixture
def call(store, capsys):
    def run_and_read(*args):
        capsys.readouterr()
        assert run(["probe", "--clf", "knn", "--resamples", "20", *store, *args]) == 0
        return capsys.readouterr().out

    return run_and_read


def test_json_rows_name_their_thresholds(call):
    found = json.loads(call("--json"))
    constant = {"all-positive", "all-negative"}
    assert {row["threshold"] for row in found["results"]} == {None, "0.5", "tuned-f2"} | constant


def test_json_has_no_confusion_matrix(call):
    assert json.loads(call("--json"))["confusion"] is None


def test_json_has_the_headline_first(call):
    head = json.loads(call("--json"))["results"][0]
    assert (head["metric"], head["average"], head["selected"]) == ("map", "macro", True)


def test_text_names_both_thresholds(call):
    out = call()
    assert "at 0.5" in out
    assert "tuned for F2" in out


def test_a_confusion_matrix_is_a_usage_error(store, capsys):
    assert run(["probe", "--clf", "knn", *store, "--confusion"]) == 2
    assert capsys.readouterr().err.startswith("--confusion: a sample may bear several labels")


def test_help_tells_the_probes_apart(capsys):
    run(["probe", "--help"])
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in PROBES)
    assert "by SGD" in out
    assert "by L-BFGS" in out
