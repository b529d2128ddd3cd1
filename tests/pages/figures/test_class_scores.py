"""Scores of each class: bars, intervals, the order by samples, the threshold."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_subject import make_subject
from made_results import make_result

from featbank.errors import UnknownNameError, UsageError
from featbank.pages.figures import FIGURES, FigureOptions
from featbank.pages.figures.class_scores import class_scores


def score(name, value, n, *, low=None, high=None, threshold=None, metric="f1"):
    return make_result(metric=metric, value=value, class_name=name, n=n, low=low, high=high,
                       threshold=threshold)  # fmt: skip


HEAD = make_result(selected=True)
ROWS = (
    HEAD,
    score("water", 0.4, 10, low=0.2, high=0.5),
    score("wood", 0.9, 30, low=0.8, high=0.95),
    score("town", np.nan, 0),
    make_result(metric="f1", average="macro", value=0.65),
)


def bars(axes):
    return {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for bar in axes.patches}


def test_the_most_frequent_class_is_on_top():
    axes = class_scores([ROWS]).axes[0]
    names = [label.get_text().split("\N{NO-BREAK SPACE}")[0] for label in axes.get_yticklabels()]
    assert names == ["wood", "water", "town"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_bars_are_the_values_of_their_classes():
    assert bars(class_scores([ROWS]).axes[0]) == {0: 0.9, 1: 0.4}


def test_lines_are_the_intervals():
    lines = class_scores([ROWS]).axes[0].lines
    intervals = {line.get_ydata()[0]: list(line.get_xdata()) for line in lines[:2]}
    assert intervals == {0: [0.8, 0.95], 1: [0.2, 0.5]}


def test_a_class_without_a_value_is_told():
    texts = class_scores([ROWS]).axes[0].texts
    assert [(text.get_position()[1], text.get_text()) for text in texts] == [(2, "no value")]


def test_the_macro_average_is_a_dashed_line():
    line = class_scores([ROWS]).axes[0].lines[-1]
    assert (line.get_linestyle(), line.get_xdata()[0]) == ("--", 0.65)


def test_results_stand_side_by_side_in_one_order():
    other = (make_result(result="9" * 16), score("wood", 0.1, 30), score("water", 0.3, 10))
    first, second = class_scores([ROWS, other]).axes
    assert bars(second) == {0: 0.1, 1: 0.3}
    assert first.get_shared_y_axes().joined(first, second)


def test_rows_that_tell_tuned_thresholds_are_no_metric():
    rows = (HEAD, score("water", 0.4, 10, threshold="0.5", metric="f2"),
            score("water", 0.3, 10, threshold="tuned-f2", metric="threshold"))  # fmt: skip
    assert bars(class_scores([rows]).axes[0]) == {0: 0.4}


def test_the_threshold_chooses_the_rows():
    rows = (HEAD, score("water", 0.4, 10, threshold="0.5", metric="f2"),
            score("water", 0.7, 10, threshold="tuned-f2", metric="f2"))  # fmt: skip
    assert bars(class_scores([rows]).axes[0]) == {0: 0.4}
    assert bars(class_scores([rows], threshold="tuned-f2").axes[0]) == {0: 0.7}


@pytest.mark.parametrize(
    "change", [{"by": "country", "by_value": "x"}, {"params": '{"k": 9}'}, {"split": "val"}]
)
def test_rows_of_subgroups_candidates_and_validation_are_left_out(change):
    extra = make_result(**{**vars(score("wood", 0.0, 5)), **change})
    assert bars(class_scores([(*ROWS, extra)]).axes[0]) == {0: 0.9, 1: 0.4}


def test_an_unknown_metric_is_told():
    with pytest.raises(UnknownNameError, match="no metric has this name"):
        class_scores([ROWS], metric="f3")
    with pytest.raises(UsageError, match="no result tells it of each class; expected one of f1"):
        class_scores([ROWS], metric="recall")


def test_thresholds_that_no_result_has_are_told():
    rows = (HEAD, score("water", 0.4, 10, threshold="0.5", metric="f2"))
    with pytest.raises(UsageError, match=r"--threshold tuned-f2: .*expected one of 0\.5"):
        class_scores([rows], threshold="tuned-f2")


def test_only_the_best_of_many_results_are_drawn(tmp_path):
    subject = make_subject(tmp_path, write=False)
    rows = subject.results[0]
    many = tuple(
        tuple(
            row_of(row, str(i) * 16, 0.1 * i if not p else row.value) for p, row in enumerate(rows)
        )
        for i in range(1, 8)
    )
    figure = FIGURES["class-scores"].draw(replace_results(subject, many), FigureOptions())
    assert len(figure.axes) == 4
    assert "The 4 best of 7 results." in figure._supxlabel.get_text().replace("\n", " ")


def row_of(row, result, value):
    return make_result(**{**vars(row), "result": result, "value": value})


def replace_results(subject, results):
    return replace(subject, results=results)
