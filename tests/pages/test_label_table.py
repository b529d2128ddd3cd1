"""What a person reads of several labels a sample."""

import io
from dataclasses import replace

import pytest
from labelled_store import CLASSES, make_labelled_store
from rich.console import Console

from featbank.pages.result_table import print_results
from featbank.stages.probe.run import ProbeOptions, probe_store


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
    assert [line[2], line[4], line[6]] == [written(row.value) for row in rows]
    assert [row.threshold for row in rows] == ["0.5", "tuned-f2", "all-positive"]


def test_a_no_to_everything_stands_beside_the_hamming_loss(results):
    constant = next(r for r in results if r.threshold == "all-negative")
    assert line_of(show(results, 80), "Hamming loss").split()[-1] == written(constant.value)


def test_the_first_number_is_the_headline(results):
    line = line_of(show(results, 80), "mAP (macro)").split()
    validation = next(r for r in results if (r.metric, r.split) == ("map", "val"))
    assert (line[2], line[4]) == (written(results[0].value), written(validation.value))


def test_calibration_is_told_before_and_after_temperature(results):
    text = " ".join(show(results, 80).split())
    rows = {(r.metric, r.average): r for r in results if r.class_name is None}
    before, after = rows["ece", "micro"].value, rows["ece_scaled", "micro"].value
    assert f"{written(before)} pooled, largest gap" in text
    assert f"fitted on other samples, ECE {written(rows['ece_scaled', 'macro'].value)}" in text
    assert f"{written(after)} pooled. Log loss" in text


@pytest.mark.parametrize("width", [80, 120])
def test_a_third_set_of_decisions_stands_beside_the_two(results, width):
    third = [replace(r, threshold="top-5") for r in results if r.threshold == "0.5"]
    text = show([*results, *third], width)
    assert "top-5" in line_of(text, "metric             at 0.5")
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    # Intervals of three sets need a wide terminal.
    assert line_of(text, "F2 (macro)").count("-") == (3 if width == 120 else 0)


def test_a_wide_terminal_shows_tuned_thresholds(results):
    chosen = next(r.value for r in results if r.metric == "threshold")
    assert line_of(show(results, 120), CLASSES[0]).split()[-1] == written(chosen)


def test_a_narrow_terminal_leaves_them_out(results):
    assert "threshold " not in line_of(show(results, 80), "label ")


def test_a_label_that_is_absent_has_dashes(results):
    assert line_of(show(results, 80), "snow").split()[1:] == ["0", "-", "-", "-", "-", "-", "-"]
