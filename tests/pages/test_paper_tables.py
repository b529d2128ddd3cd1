"""Tables as a paper prints them: what is best, what is escaped, what stands where."""

import re

import pytest
from made_results import make_result

from featbank.pages.paper_tables import as_latex, as_markdown, paper_tables
from featbank.pages.paper_tables.latex import escaped


def result(model, value, **changes):
    head = make_result(model=model, value=value, low=value - 0.1, high=value + 0.1, selected=True,
                       result=f"{model:0<16}")  # fmt: skip
    return (head, *changes.pop("rows", ()))


def board(*results, **options):
    names = [rows[0].model for rows in results]
    return paper_tables(list(results), names, **options)[0]


def labels(value, threshold, metric="f2", average="macro", **more):
    return make_result(metric=metric, average=average, threshold=threshold, value=value, **more)


MULTILABEL = (
    make_result(metric="map", average="macro", value=0.7, selected=True),
    labels(0.40, "0.5"), labels(0.45, "0.5", average="micro"),
    labels(0.10, "0.5", "hamming_loss", None), labels(0.60, "0.5", "precision"),
    labels(0.61, "0.5", "precision", "micro"),
    labels(0.55, "tuned-f2"), labels(0.56, "tuned-f2", average="micro"),
    labels(0.20, "tuned-f2", "hamming_loss", None), labels(0.30, "tuned-f2", "precision"),
    labels(0.31, "tuned-f2", "precision", "micro"), labels(0.33, "all-positive"),
)  # fmt: skip


def test_the_best_stands_first_whatever_the_order():
    found = board(result("weak", 0.4), result("strong", 0.9))
    assert [row.cells[0].text for row in found.rows] == ["strong", "weak"]


def test_only_the_best_is_marked():
    found = board(result("weak", 0.4), result("strong", 0.9))
    assert [row.cells[3].is_best for row in found.rows] == [True, False]


def test_one_result_alone_is_not_the_best():
    assert not board(result("alone", 0.9)).rows[0].cells[3].is_best


def test_values_printed_alike_are_both_the_best():
    found = board(result("a", 0.90001), result("b", 0.90002), result("c", 0.5))
    assert [row.cells[3].is_best for row in found.rows] == [True, True, False]


def test_nan_is_a_dash_and_never_the_best():
    found = board(result("a", float("nan")), result("b", 0.1), result("c", 0.05))
    cells = [row.cells[3] for row in found.rows]
    assert [(c.text, c.is_best) for c in cells] == [(".100", True), (".050", False), ("-", False)]


def test_baselines_are_told():
    found = board(result("vit", 0.9), result("rcf", 0.8), baselines=("rcf",))
    assert [row.kind for row in found.rows] == ["ours", "baseline"]


def test_results_that_cannot_be_compared_stand_apart():
    other = (make_result(split_scheme="spatial", selected=True, result="9" * 16),)
    tables = paper_tables([result("a", 0.9), other], ["a", "b"])
    assert [table.section for table in tables] == ["leaderboard", "leaderboard"]


def test_published_numbers_stand_below_and_are_not_the_best():
    rows = tuple(
        make_result(dataset="bigearthnet-s1", label_set="19-class", metric=m, average=a, value=0.01,
                    threshold=t, selected=m == "map")
        for m, a, t in (("map", "macro", None), ("f2", "macro", "0.5"), ("f2", "micro", "0.5"))
    )  # fmt: skip
    table = next(t for t in paper_tables([rows], ["x"]) if t.section == "decisions")
    kinds = [row.kind for row in table.rows]
    assert kinds[0] == "ours"
    assert set(kinds[1:]) == {"published"}
    assert not any(cell.is_best for row in table.rows[1:] for cell in row.cells)


def test_decisions_stand_side_by_side_without_the_constants():
    table = next(t for t in paper_tables([MULTILABEL], ["x"]) if t.section == "decisions")
    assert [[cell.text for cell in row.cells[1:]] for row in table.rows] == [
        ["0.5", ".400", ".450", ".100", ".600", ".610"],
        ["tuned for F2", ".550", ".560", ".200", ".300", ".310"],
    ]


def test_less_hamming_loss_is_better():
    table = next(t for t in paper_tables([MULTILABEL], ["x"]) if t.section == "decisions")
    assert [row.cells[4].is_best for row in table.rows] == [True, False]


def test_counts_and_ratios_of_a_class_stand_in_their_columns():
    values = {"tp": 7, "fp": 1, "tn": 90, "fn": 2, "precision": 0.875, "recall": 0.778,
              "specificity": 0.989, "f1": 0.824}  # fmt: skip
    rows = [make_result(metric=m, value=v, class_name="water") for m, v in values.items()]
    table = paper_tables([result("a", 0.9, rows=rows)], ["a"])[-1]
    assert [c.title for c in table.columns[1:5]] == ["TP", "FP", "TN", "FN"]
    assert [cell.text for cell in table.rows[0].cells] == [
        "water", "7", "1", "90", "2", ".875", ".778", ".989", ".824",
    ]  # fmt: skip


def test_few_shot_results_rank_by_number_of_shots():
    rows = tuple(make_result(shots=n, value=n / 20, selected=n == 10, seed_sd=0.01, seeds=5)
                 for n in (10, 1))  # fmt: skip
    titles = [table.title for table in paper_tables([rows], ["x"])]
    assert [re.search(r"(\d+) samples?", title).group(1) for title in titles] == ["1", "10"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({}, "featbank-linear: chosen on validation, fitted again on train and validation."),
        (
            {"note": "validation is 20% of train (seed 0)"},
            "featbank-linear: chosen on 20% of train, fitted again on train and validation.",
        ),
        (
            {"shots": 4},
            "chosen on at most as many validation samples of each class, fitted on the shots alone",
        ),
    ],
)
def test_the_caption_says_what_was_chosen_and_fitted_on_what(row, told):
    rows = make_result(protocol="featbank-linear", selected=True, **row)
    caption = paper_tables([(rows,)], ["a"], baselines=())[0].caption
    assert told in caption


def test_no_results_give_no_tables():
    assert paper_tables([], []) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a_b & 5 % of #1 {x} $y", r"a\_b \& 5 \% of \#1 \{x\} \$y"),
        ("\\~^", r"\textbackslash{}\textasciitilde{}\textasciicircum{}"),
        ("Köln, Łódź, forêt", '"'),
        ("30 \N{MICRO SIGN}m \N{MULTIPLICATION SIGN} 2", r"30 \textmu{}m $\times$ 2"),
        ("\N{CJK UNIFIED IDEOGRAPH-6C34}", "[cjk unified ideograph-6c34]"),
    ],
)
def test_latex_is_escaped_to_ascii(text, wanted):
    found = escaped(text)
    assert found.isascii()
    assert wanted in found


def test_accents_become_latex():
    assert escaped("é ñ ü ç") == r"\'{e} \~{n} " + '\\"{u}' + r" \c{c}"


def test_latex_has_a_cell_for_every_column():
    table = as_latex(board(result("a&b", 0.9), result("c", 0.8)))
    body = [line for line in table.splitlines() if line.endswith(r"\\") and "toprule" not in line]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {4}
    assert r"\textbf{.900} {\scriptsize [.800-1.000]}" in table


def test_markdown_has_a_cell_for_every_column():
    table = as_markdown(board(result("a|b", 0.9), result("c_d", 0.8)))
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {6}
    assert r"a\|b" in table
    assert r"c\_d" in table
    assert "**.900** [.800-1.000]" in table
