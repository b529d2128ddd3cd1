"""Headlines: a row a result, the best first, intervals, baselines marked."""

import numpy as np
from made_results import make_result

from featbank.pages.figures.headlines import headline_values

HEADS = [
    make_result(result="1" * 16, model="imagestats", value=0.4, low=0.35, high=0.47),
    make_result(result="2" * 16, model="vit", value=0.8, low=0.7, high=0.85),
    make_result(result="3" * 16, model="dino", value=0.6),
]


def points(axes):
    return {line.get_ydata()[0]: line for line in axes.lines if len(line.get_xdata()) == 1}


def test_the_best_is_on_top():
    axes = headline_values(HEADS).axes[0]
    assert [line.get_xdata()[0] for _, line in sorted(points(axes).items())] == [0.8, 0.6, 0.4]
    assert axes.get_yticklabels()[0].get_text() == "vit · featbank-knn · cls"


def test_of_an_error_the_least_is_on_top():
    heads = [make_result(result=str(i) * 16, metric="log_loss", value=v, model=str(i))
             for i, v in enumerate((2.0, 0.5))]  # fmt: skip
    axes = headline_values(heads).axes[0]
    assert points(axes)[0].get_xdata()[0] == 0.5


def test_lines_are_the_intervals():
    axes = headline_values(HEADS).axes[0]
    drawn = {line.get_ydata()[0]: list(line.get_xdata()) for line in axes.lines
             if len(line.get_xdata()) == 2}  # fmt: skip
    assert drawn == {0: [0.7, 0.85], 2: [0.35, 0.47]}


def test_baselines_are_open_triangles():
    marks = {at: line.get_marker() for at, line in points(headline_values(HEADS).axes[0]).items()}
    assert marks == {0: "o", 1: "o", 2: "^"}


def test_what_cannot_be_compared_stands_in_panels_of_its_own():
    other = make_result(result="4" * 16, metric="map", average="macro", value=0.5)
    axes = headline_values([*HEADS, other]).axes
    assert sorted(len(points(panel)) for panel in axes) == [1, 3]


def test_a_value_that_is_not_known_comes_last_and_is_told():
    heads = [make_result(result="9" * 16, value=np.nan, model="broken"), *HEADS]
    axes = headline_values(heads).axes[0]
    assert axes.get_yticklabels()[3].get_text().startswith("broken")
    assert axes.texts[3].get_text() == "no value"


def test_like_results_are_told_apart_by_id():
    heads = [make_result(result=c * 16, value=0.5) for c in "ab"]
    names = {label.get_text() for label in headline_values(heads).axes[0].get_yticklabels()}
    assert names == {"vit · featbank-knn · cls · aaaaaaaa", "vit · featbank-knn · cls · bbbbbbbb"}
