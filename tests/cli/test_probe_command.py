"""``featbank probe`` on a label set whose samples bear several labels."""

import json

import pytest
from labelled_store import make_labelled_store
from layered_store import make_layered_store

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


@pytest.fixture
def layered(tmp_path):
    path = make_layered_store(tmp_path / "vit.zarr")
    return ("--store", str(path), "--bank", str(tmp_path / "bank"), "--resamples", "20")


def test_few_shot_results_are_told_by_number_of_shots(layered, capsys):
    options = ("--clf", "knn", "--k", "1", "--shots", "1,4", "--tries", "2", "--json")
    assert run(["probe", *options, *layered]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["shots"] for row in found["results"]] == [4, 1]
    assert found["predictions_path"] is None


def test_any_parameter_can_be_fixed(layered, capsys):
    run(["probe", "--clf", "logistic", "--param", "C=0.5", "--json", *layered])
    found = json.loads(capsys.readouterr().out)
    assert json.loads(found["results"][0]["params"])["C"] == 0.5


def test_an_unknown_parameter_names_the_known_ones(layered, capsys):
    assert run(["probe", "--clf", "knn", "--param", "depth=3", *layered]) == 2
    assert capsys.readouterr().err.startswith(
        "--param depth: probe 'knn' has no such parameter; expected one of"
    )


def test_a_parameter_without_a_value_is_a_usage_error(layered, capsys):
    assert run(["probe", "--clf", "knn", "--param", "k", *layered]) == 2
    assert "'k' has no '='" in capsys.readouterr().err


def test_the_second_run_says_that_the_result_was_found(layered, capsys):
    for _ in range(2):
        run(["probe", "--clf", "knn", *layered])
    assert "rows found. Bank:" in capsys.readouterr().out


def test_several_stores_give_one_object_with_all_cells(layered, capsys):
    second = ("--store", layered[1])
    run(["probe", "--clf", "knn", "--json", *layered, *second])
    assert len(json.loads(capsys.readouterr().out)["cells"]) == 2


def test_a_leaderboard_ranks_what_was_probed(layered, capsys):
    run(["probe", "--clf", "knn", "--leaderboard", *layered])
    assert "made, labels cover, split official: accuracy on test" in capsys.readouterr().out


def test_results_are_told_apart_by_a_column(layered, capsys):
    run(["probe", "--clf", "knn", "--by", "country", "--json", *layered])
    rows = json.loads(capsys.readouterr().out)["results"]
    told = {(row["by"], row["by_value"]): row["n"] for row in rows if row["by"]}
    assert set(told) == {("country", "Austria"), ("country", "Serbia")}
    assert sum(told.values()) == rows[0]["n"]


def test_an_unknown_column_suggests_the_nearest(layered, capsys):
    assert run(["probe", "--clf", "knn", "--by", "countri", *layered]) == 1
    assert "Did you mean 'country'?" in capsys.readouterr().err
