"""``featbank compare`` as it is typed."""

import json

import pytest
from fake_results import keep, one_class

from featbank.cli.main import run


@pytest.fixture
def call(tmp_path, capsys):
    for result, skill, seed in (("aa11", 0.5, 1), ("ab22", 0.48, 1), ("cc33", 0.15, 2)):
        keep(tmp_path, result, *one_class(skill, seed), model=f"model-{result[:2]}", value=skill)

    def run_and_read(*args, code=0):
        fixed = ["--bank", str(tmp_path), "--resamples", "500"]
        assert run(["compare", *fixed, *args]) == code
        return capsys.readouterr()

    return run_and_read


def test_a_sentence_tells_who_is_better(call):
    out = " ".join(call("aa", "cc").out.split())
    assert "A model-aa · featbank-knn · cls" in out
    assert "A beats B by ." in out
    assert "after Holm (McNemar's exact p " in out


def test_a_sentence_tells_that_nothing_is_shown(call):
    assert "No difference shown between A and B: ." in call("aa", "ab").out


def test_the_last_lines_tell_how(call):
    out = " ".join(call("aa", "cc").out.split())
    assert "240 test samples of made that all of them scored, labels cover" in out
    assert "500 paired resamples of 240 samples, seed 0" in out


def test_a_dataset_stands_for_its_results(call):
    out = call("--dataset", "made").out
    assert out.count("after Holm") == 3
    assert "corrected for 3 pairs" in " ".join(out.split())


def test_too_few_resamples_are_told(call):
    few = call("--dataset", "made", "--resamples", "20").out
    assert "P-values below .286 need more --resamples." in few
    assert "need more" not in call("--dataset", "made").out


def test_json_has_a_row_a_pair(call):
    found = json.loads(call("aa", "cc", "--json").out)["comparisons"]
    assert [(row["a"], row["b"], row["better"]) for row in found] == [("aa11", "cc33", "aa11")]
    assert found[0]["low"] < found[0]["difference"] < found[0]["high"]


def test_a_wrong_id_is_one_line(call):
    err = call("aa", "zz", code=1).err
    assert err.startswith("zz: no result in")
    assert err.count("\n") == 1


def test_wrong_usage_has_its_exit_code(call):
    assert call(code=2).err.startswith("compare: neither results")
