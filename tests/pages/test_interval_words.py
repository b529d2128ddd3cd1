"""What captions say of intervals: what they take as independent, what they leave out."""

import io

import pytest
from made_results import make_result
from rich.console import Console

from featbank.pages.figures.class_scores import _reading as of_class_scores
from featbank.pages.figures.headlines import _reading as of_headlines
from featbank.pages.paper_tables import as_latex, paper_tables
from featbank.pages.report.glossary import glossary_of
from featbank.pages.result_table import print_results
from featbank.pages.table_style import intervals_over

HEAD = make_result(low=0.7, high=0.9, selected=True, resampled="group")
SAID = "95 % intervals take groups as independent"
LEFT = "leave out how scores vary with training sets and splits"


def printed():
    text = io.StringIO()
    print_results([HEAD], console=Console(file=text, width=200))
    return text.getvalue()


CAPTIONS = {
    "terminal": printed,
    "latex": lambda: as_latex(paper_tables([(HEAD,)], ["vit"])[0]).replace(r"\%", "%"),
    "class scores": lambda: of_class_scores([(HEAD,)]),
    "headlines": lambda: of_headlines([HEAD]),
}


@pytest.mark.parametrize("name", CAPTIONS)
def test_a_caption_says_what_is_independent_and_what_is_left_out(name):
    caption = " ".join(CAPTIONS[name]().replace("~", " ").split())
    assert SAID in caption
    assert LEFT in caption


@pytest.mark.parametrize("name", CAPTIONS)
def test_no_caption_calls_them_bootstrapped(name):
    assert "bootstrap" not in CAPTIONS[name]()


def test_both_kinds_of_units_are_named():
    assert "take groups or samples as independent" in intervals_over(["sample", "group", "sample"])


def test_the_glossary_says_what_an_interval_leaves_out():
    assert (
        "leaves out how the score varies with the training set"
        in glossary_of([(HEAD,)])["95 % interval"]
    )
