"""The comparison: differences and intervals as ``compare`` finds them."""

from itertools import combinations

import pytest
from fake_results import keep, one_class

from featbank.bank.bank import Bank
from featbank.bank.results import read_result
from featbank.lookup.subject import Subject
from featbank.pages.figures import FIGURES, FigureOptions
from featbank.pages.figures.comparison import comparison_plot, drawn_pairs
from featbank.stages.compare.run import CompareOptions, compare_results
from featbank.store.absent import AbsentStore


def compared(root, count):
    ids = [f"{i:x}" * 16 for i in range(count)]
    for i, result in enumerate(ids):
        keep(root, result, *one_class(0.1 + 0.08 * i, i), model=f"model-{i}")
    return compare_results(CompareOptions(results=tuple(ids), bank=root, resamples=50))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return compared(tmp_path_factory.mktemp("three"), 3)


def test_points_and_lines_are_the_pairs(found):
    lines = comparison_plot(found).axes[0].lines[1:]
    for pair, interval, point in zip(found.pairs, lines[::2], lines[1::2], strict=True):
        assert list(interval.get_xdata()) == [pair.low, pair.high]
        assert list(point.get_xdata()) == [pair.difference]


def test_a_difference_that_is_shown_is_filled(found):
    points = comparison_plot(found).axes[0].lines[2::2]
    filled = [point.get_markerfacecolor() != "white" for point in points]
    assert filled == [pair.better is not None for pair in found.pairs]


def test_rows_name_their_pairs(found):
    names = [label.get_text() for label in comparison_plot(found).axes[0].get_yticklabels()]
    assert names == [f"{a} \N{MINUS SIGN} {b}" for a, b in combinations("ABC", 2)]


def test_the_key_tells_the_letters(found):
    key = comparison_plot(found).axes[0].get_title(loc="left").splitlines()
    assert key[1].startswith("B  model-1 · featbank-knn · cls (.")


def test_of_many_pairs_those_with_the_best_are_drawn(tmp_path):
    found = compared(tmp_path, 7)
    best = int(found.values.argmax())
    pairs = drawn_pairs(found)
    assert len(pairs) == 6
    assert all(best in (pair.a, pair.b) for pair in pairs)
    assert "Of 21 pairs those with the best" in comparison_plot(found)._supxlabel.get_text()


def test_of_tens_of_results_the_best_are_compared(tmp_path, monkeypatch):
    monkeypatch.setattr("featbank.pages.figures.comparison.RESAMPLES", 20)
    results = []
    for i in range(14):
        result = f"{i:x}" * 16
        keep(tmp_path, result, *one_class(0.3, i), model=f"model-{i}", value=0.5 + 0.01 * i)
        results.append(tuple(read_result(Bank(tmp_path).result_path(result))))
    store = AbsentStore(tmp_path / "gone.zarr")
    subject = Subject(bank=Bank(tmp_path), store=store, results=tuple(results))
    figure = FIGURES["comparison"].draw(subject, FigureOptions())
    key = figure.axes[0].get_title(loc="left").splitlines()
    assert [line.split()[1] for line in key] == [f"model-{i}" for i in range(13, 1, -1)]
    assert "The 12 best of 14 results." in figure._supxlabel.get_text()
