"""Records as HTML: whatever users name their classes, it stays text."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featbank.record_html import (
    Html,
    Number,
    cell_html,
    counts_text,
    fold_html,
    number_html,
    record_html,
    table_html,
)


class Reader(HTMLParser):
    """Tags and text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


# HTML knows neither control characters nor other ends of lines than \n.
printable = st.text(st.characters(exclude_categories=("C",)), min_size=1)


@given(printable)
def test_no_text_becomes_a_tag_anywhere(text):
    plain = read(record_html("a", {"a": "a"}, [table_html(["a"], [["a"]]), fold_html("a", Html())]))
    html = record_html(text, {text: text}, [table_html([text], [[text]]), fold_html(text, Html())])
    found = read(html)
    assert found.tags == plain.tags
    assert "".join(found.texts) == text * 6


def test_a_bold_class_name_is_shown_with_its_brackets():
    assert "&lt;b&gt;wet&lt;/b&gt;" in table_html(["class"], [["<b>wet</b>"]])


def test_quotes_cannot_leave_an_attribute():
    assert '"' not in cell_html('" onclick="alert(1)')


def test_facts_without_a_value_are_left_out():
    assert read(record_html("t", {"a": None, "b": "", "c": 0})).texts == ["t", "c", "0"]


def test_columns_of_numbers_stand_to_the_right():
    html = table_html(["name", "n", "value"], [["a", 1, number_html(0.5)], ["b", None, Number("")]])
    assert html.count("text-align: right") == 3 * 2


@pytest.mark.parametrize(("value", "text"), [(1234567, "1,234,567"), (True, "True"), (0, "0")])
def test_counts_are_grouped_and_truths_are_not_counts(value, text):
    assert cell_html(value) == text


def test_numbers_that_are_not_there_are_a_dash():
    assert {number_html(None), number_html(float("nan"))} == {"-"}


def test_counts_of_nothing_are_not_told():
    assert counts_text({"train": 0, "test": 0}) == ""
