"""What a person reads of one class a sample, of seeds and of subgroups."""

import io
from dataclasses import replace

import pytest
from labelled_store import make_labelled_store
from rich.console import Console

from featbank.pages.result_table import print_results
from featbank.pages.table_style import metric_name, number
from featbank.stages.probe.run import ProbeOptions, probe_store


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    root = tmp_path_factory.mktemp("p")
    options = {"clf": "knn", "store": make_labelled_store(root / "s.zarr"), "bank": root / "bank"}
    return probe_store(ProbeOptions(resamples=20, labels="dominant", **options)).results


@pytest.fixture(scope="module")
def by_country(results):
    """The same with two countries, and five seeds behind the headline."""
    main = [r for r in results if r.class_name is None and r.split == "test"]
    apart = [
        replace(r, by="country", by_value=v, n=n, value=r.value / n, selected=False)
        for v, n in (("Finland", 12), ("Ireland", 3))
        for r in main
    ]
    return [replace(results[0], seeds=5, seed_sd=0.0123), *results[1:], *apart]


def show(results, width=80):
    console = Console(width=width, record=True, file=io.StringIO())
    print_results(results, console=console)
    return console.export_text()


def line_of(text, start):
    return next(line for line in text.splitlines() if line.strip().startswith(start))


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(by_country, width):
    lines = show(by_country, width).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width


def test_the_first_number_is_the_headline_beside_its_value_on_validation(results):
    validation = next(r for r in results if r.split == "val")
    line = line_of(show(results), "accuracy").split()
    assert (line[1], line[3]) == (number(results[0].value), number(validation.value))


@pytest.mark.parametrize("start", ["top-3 accuracy", "balanced accuracy", "F1 (macro)", "kappa"])
def test_other_aggregates_follow(results, start):
    assert line_of(show(results), start)


def test_calibration_is_one_sentence(results):
    text = " ".join(show(results).split())
    ece, after, temperature = (
        next(r.value for r in results if r.metric == metric)
        for metric in ("ece", "ece_scaled", "temperature")
    )
    assert f"ECE {number(ece)}, largest gap" in text
    worse = " (worse here)" if after > ece else ""
    said = f"at temperature {temperature:.2f}, fitted on other samples, ECE {number(after)}{worse}."
    assert said in text


def test_the_spread_of_seeds_stands_beside_the_headline(by_country):
    text = show(by_country)
    assert "± of 5 seeds" in line_of(text, "metric")
    assert line_of(text, "accuracy").split()[-1] == ".012"


def test_without_seeds_there_is_no_spread(results):
    assert "seeds" not in show(results)


def test_each_value_of_a_column_has_its_line(by_country):
    text = show(by_country)
    assert "By country, on test" in text
    assert line_of(text, "Finland").split()[1:3] == ["12", number(by_country[0].value / 12)]
    assert line_of(text, "Ireland").split()[1] == "3"


def test_subgroups_do_not_change_the_other_tables(results, by_country):
    found, plain = (line_of(show(rows), "F1 (macro)") for rows in (by_country, results))
    assert found.split() == plain.split()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (("f2", "macro", "0.5"), "F2 (macro) at 0.5"),
        (("f2", "micro", "tuned-f2"), "F2 (micro) at thresholds tuned for F2"),
        (("balanced_accuracy", "macro"), "balanced accuracy"),
        (("map", "macro"), "mAP (macro)"),
    ],
)
def test_metrics_are_named_as_people_write_them(key, expected):
    assert metric_name(*key) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, ".000"), (0.99996, "1.000"), (-0.5, "-.500"), (float("nan"), "-"), (12.5, "12.500")],
)
def test_numbers_have_three_decimals(value, expected):
    assert number(value) == expected
