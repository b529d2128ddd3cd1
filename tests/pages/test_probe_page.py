"""What stands beside a result on the terminal."""

import pytest
from made_results import make_result
from rich.console import Console

from featbank.pages.baseline_table import print_baselines
from featbank.pages.candidate_table import chosen_rows, print_candidates
from featbank.pages.few_shot_table import print_few_shot
from featbank.pages.leaderboard import print_leaderboard
from featbank.pages.published_table import print_published, published_beside


@pytest.fixture
def console():
    return Console(width=100, record=True, force_terminal=False)


def shown(console):
    return console.export_text()


MAP = {"metric": "map", "average": "macro", "dataset": "bigearthnet-s1", "label_set": "19-class"}
F2 = MAP | {"metric": "f2", "threshold": "0.5"}


def test_published_rows_are_of_the_same_dataset_and_labels():
    rows = [row for _, row in published_beside([make_result(**MAP), make_result(**F2)])]
    assert {(row.dataset, row.label_set) for row in rows} == {("bigearthnet-s1", "19-class")}
    assert {row.metric for row in rows} == {"map", "f2"}


def test_a_row_without_a_stated_average_stands_beside_any():
    names = {spec.name for spec, _ in published_beside([make_result(**MAP)])}
    assert names == {"Copernicus-Bench", "reBEN"}


def test_metrics_that_are_not_told_are_left_out():
    averages = {row.average for _, row in published_beside([make_result(**F2)])}
    assert averages == {"macro"}


def test_published_numbers_name_their_source(console):
    print_published([make_result(**F2)], console=console)
    out = shown(console)
    assert ".345" in out
    assert "HTCV 2024: DOFA, Hot Topics in Computer Vision 2024" in out


def test_nothing_is_printed_where_nothing_is_published(console):
    print_published([make_result()], console=console)
    assert shown(console) == ""


def test_the_gain_over_a_baseline_is_told(capsys):
    print_baselines(make_result(value=0.8), [make_result(model="rcf", value=0.65)])
    assert "+0.150" in capsys.readouterr().out


def test_missing_baselines_are_told_how_to_make(capsys):
    print_baselines(make_result(), [], hint="featbank embed --model rcf --dataset made")
    assert "make them by: featbank embed --model rcf --dataset made" in capsys.readouterr().out


def test_few_shot_rows_stand_in_order_of_shots(console):
    rows = [make_result(shots=n, seeds=5, seed_sd=0.01, value=n / 20) for n in (10, 1, 5)]
    print_few_shot(rows, console=console)
    lines = [line.split()[:4] for line in shown(console).splitlines() if ".010" in line]
    assert lines == [
        ["1", ".050", ".010", "5"],
        ["5", ".250", ".010", "5"],
        ["10", ".500", ".010", "5"],
    ]


def candidates():
    head = make_result(selected=True)
    others = [make_result(params=f'{{"k": {k}}}', value=k / 1000) for k in (100, 10, 20)]
    return [head, make_result(metric="f1", class_name="a"), *others]


def test_candidates_stand_in_order_of_what_is_swept(console):
    print_candidates(candidates(), console=console)
    rows = [line.split() for line in shown(console).splitlines()]
    assert [row[0] for row in rows if len(row) == 2 and row[0].isdigit()] == ["10", "20", "100"]


def test_the_tables_of_a_probe_are_of_the_chosen_candidate():
    assert {row.params for row in chosen_rows(candidates())} == {'{"k": 20}'}


def test_the_headline_keeps_its_interval_where_every_candidate_is_told():
    head = make_result(selected=True, low=0.7, high=0.9)
    assert chosen_rows([head, make_result(), make_result(params='{"k": 10}')]) == [head]


def test_a_leaderboard_ranks_what_may_be_compared(capsys):
    rows = [make_result(model=m, value=v) for m, v in (("a", 0.5), ("b", 0.9))]
    print_leaderboard([*rows, make_result(model="c", dataset="other")])
    out = capsys.readouterr().out
    assert out.index(" b ") < out.index(" a ")
    assert out.count("accuracy on test") == 2
