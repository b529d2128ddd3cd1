"""The k curve: every k on test, the chosen one marked."""

import pytest
from drawn_subject import make_subject
from made_results import make_result

from featbank.pages.figures.k_curve import k_curve, neighbours


@pytest.fixture
def rows(tmp_path):
    return make_subject(tmp_path, write=False).results[3]


def test_points_are_the_values_on_test_by_k(rows):
    line = k_curve([rows]).axes[0].lines[0]
    assert list(line.get_xdata()) == [10, 20, 100, 200]
    assert line.get_ydata().tolist() == [0.61, 0.64, 0.58, 0.5]


def test_the_chosen_k_is_marked_with_its_interval(rows):
    _, chosen, interval = k_curve([rows]).axes[0].lines
    assert (list(chosen.get_xdata()), list(chosen.get_ydata())) == ([20], [0.64])
    assert list(interval.get_ydata()) == [0.6, 0.69]


def test_candidates_that_differ_by_more_than_k_are_left_out(rows):
    other = make_result(**{**vars(rows[0]), "params": '{"k": 50, "temperature": 1}'})
    assert [k for k, _ in neighbours((*rows, other))] == [10, 20, 100, 200]


def test_values_on_validation_are_left_out(rows):
    on_val = make_result(**{**vars(rows[4]), "split": "val", "value": 0.99})
    found = neighbours((rows[0], on_val, *rows[2:]))
    assert [row.value for _, row in found] == [0.61, 0.64, 0.58, 0.5]


def test_other_probes_have_no_k():
    assert neighbours((make_result(probe="logistic", params='{"C": 1}'),)) == []
