"""What a person reads of several labels a sample."""

import io

import pytest
from labelled_store import CLASSES, make_labelled_store
from rich.console import Console

from featbank.pages.result_table import print_results
from featbank.stages.probe import ProbeOptions, probe_store


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    root = tmp_path_factory.mktemp("p")
    options = {"clf": "knn", "store": make_labelled_store(root / "s.zarr"), "bank": root / "bank"}
    return probe_store(ProbeOptions(resamples=20, **options)).results


def show(results, width):
    console = Console(width=width, record=True, file=io.StringIO())
    print_results(results, console=console)
    return console.export_text()


def line_of(text, start):
    return next(line for line in text.splitlines() if line.strip().startswith(start))


def written(value):
    return f"{value:.3f}".removeprefix("0")


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(results, width):
    assert max(len(line.rstrip()) for line in show(results, width).splitlines()) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_every_label_has_its_line(results, width):
    text = show(results, width)
    assert all(line_of(text, name) for name in CLASSES)


def test_both_thresholds_stand_side_by_side(results):
    rows = [r for r in results if (r.metric, r.average) == ("f2", "macro")]
    line = line_of(show(results, 80), "F2 (macro)").split()
    assert [line[2], line[4]] == [written(row.value) for row in rows]


def test_the_first_number_is_the_headline(results):
    line = line_of(show(results, 80), "mAP (macro)").split()
    assert line[2:4] == ["test", written(results[0].value)]


def test_a_wide_terminal_shows_tuned_thresholds(results):
    chosen = next(r.value for r in results if r.metric == "threshold")
    assert line_of(show(results, 120), CLASSES[0]).split()[-1] == written(chosen)


def test_a_narrow_terminal_leaves_them_out(results):
    assert "threshold " not in line_of(show(results, 80), "label ")


def test_a_label_that_is_absent_has_dashes(results):
    assert line_of(show(results, 80), "snow").split()[1:] == ["0", "-", "-", "-", "-", "-", "-"]
