"""A dataset that contradicts itself is refused where it is opened, whoever wrote it."""

from dataclasses import replace

import numpy as np
import pytest

from featbank.datasets import DATASETS, DatasetRequest
from featbank.errors import DatasetError
from featbank.samples import LabelSet
from featbank.sources import opening
from featbank.sources.opening import open_dataset
from featbank.sources.sound_dataset import require_sound

N = 12


@pytest.fixture(scope="module")
def dataset():
    return DATASETS["synthetic-s2"].open(DatasetRequest(chips=N))


def with_labels(dataset, codes, classes=("a", "b", "c")):
    labels = {"made": LabelSet(classes=classes, codes=codes)}
    return replace(dataset, samples=replace(dataset.samples, labels=labels))


def with_column(dataset, **columns):
    return replace(dataset, samples=replace(dataset.samples, **columns))


ONE = np.zeros(N, np.int32)
SEVERAL = np.zeros((N, 3), np.int8)
SPLIT = np.zeros(N, np.int8)
LABELS = {
    "fewer rows": (ONE[:-1], r"label set 'made': is of shape \(11,\); expected \(12,\)"),
    "more rows": (np.zeros((N + 1, 3), np.int8), r"shape \(13, 3\); expected \(12, 3\)"),
    "more columns than classes": (np.zeros((N, 4), np.int8), r"shape \(12, 4\)"),
    "a class beyond the last": (ONE + 3, "holds 3 to 3; expected -1 to 2: indices"),
    "less than unknown": (ONE - 2, "holds -2 to -2"),
    "twos among several": (SEVERAL + 2, "holds 2 to 2; expected -1 to 1: 1 borne, 0 not"),
    "shares": (SEVERAL * 0.5, "is of float64; expected whole numbers"),
}
COLUMNS = {
    "a short group": ({"group": np.array(["a"], object)}, r"group: is of shape \(1,\)"),
    "short origins": ({"origins": np.array(["a"], object)}, "origins: is of shape"),
    "a short column": ({"meta": {"wet": np.arange(7)}}, "column 'wet': is of shape"),
    "three coordinates": ({"lonlat": np.zeros((N, 3))}, r"lonlat: .*expected \(12, 2\)"),
    "a short split": ({"splits": {"own": SPLIT[:5]}}, "split scheme 'own': is of shape"),
    "a split of no name": ({"splits": {"own": SPLIT + 7}}, "holds 7 to 7; expected 0 to 3"),
    "numbers as ids": ({"ids": np.arange(N)}, "ids: are no texts"),
}


def refusal(dataset):
    with pytest.raises(DatasetError) as refused:
        require_sound(dataset)
    assert "\n" not in str(refused.value)
    return refused


@pytest.mark.parametrize("name", LABELS)
def test_labels_that_are_no_classes_of_the_samples_are_refused(dataset, name):
    codes, words = LABELS[name]
    refusal(with_labels(dataset, codes)).match(words)


def test_classes_of_one_name_are_refused(dataset):
    refusal(with_labels(dataset, ONE, classes=("a", "a", "b"))).match("names 'a' twice")


@pytest.mark.parametrize("codes", [ONE - 1, ONE + 2, SEVERAL - 1, SEVERAL + 1])
def test_classes_and_what_is_unknown_are_taken(dataset, codes):
    assert require_sound(with_labels(dataset, codes))


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_that_are_not_of_the_samples_are_refused(dataset, name):
    columns, words = COLUMNS[name]
    refusal(with_column(dataset, **columns)).match(words)


def test_bands_in_another_order_than_the_grids_are_refused(dataset):
    refusal(replace(dataset, bands=dataset.bands[::-1])).match("its bands are .* order")


def test_a_band_twice_is_refused(dataset):
    (grid, *others) = dataset.grids
    twice = replace(grid, bands=(*grid.bands, grid.bands[0]))
    held = [name for each in (twice, *others) for name in each.bands]
    of = {band.name: band for band in dataset.bands}
    found = replace(dataset, grids=(twice, *others), bands=tuple(of[name] for name in held))
    refusal(found).match("each band once")


def test_a_unit_of_no_name_is_refused(dataset):
    bands = (replace(dataset.bands[0], unit="furlong"), *dataset.bands[1:])
    refusal(replace(dataset, bands=bands)).match("is in 'furlong'; expected one of uint8")


def test_what_is_opened_is_held_to_it(dataset, monkeypatch):
    broken = with_labels(dataset, ONE + 3)
    spec = replace(DATASETS["synthetic-s2"], open=lambda request: broken)
    monkeypatch.setattr(opening, "dataset_spec", lambda name: spec)
    with pytest.raises(DatasetError, match="label set 'made'"):
        open_dataset("synthetic-s2", chips=N)


def test_a_dataset_of_another_name_than_its_record_is_refused(dataset, monkeypatch):
    spec = replace(DATASETS["synthetic-s2"], open=lambda request: replace(dataset, name="another"))
    monkeypatch.setattr(opening, "dataset_spec", lambda name: spec)
    with pytest.raises(DatasetError, match="'synthetic-s2': calls itself 'another'"):
        open_dataset("synthetic-s2", chips=N)
