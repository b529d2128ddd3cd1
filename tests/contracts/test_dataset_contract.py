"""Every dataset keeps what its record promises, whoever added it."""

import os
import pickle
import sys

import numpy as np
import pytest
from fake_chips import write_chips

from featbank.datasets import DATASETS, DatasetRequest
from featbank.inputs.checks import refusal
from featbank.samples import UNLABELLED
from featbank.sources.opening import open_dataset
from featbank.sources.reading_rules import contract_of

# Where real imagery stands, in the folder of shared test data, by dataset.
ROOTS = {
    "bigearthnet-s1": "bigearthnet_v1",
    "bigearthnet-s2": "bigearthnet_v1",
    "bigearthnet-s1s2": "bigearthnet_v1",
    "eurosat-ms": "eurosat100",
    "eurosat-rgb": "fixtures_real",
}


@pytest.fixture(scope="module", params=list(DATASETS))
def dataset(request, tmp_path_factory):
    spec = DATASETS[request.param]
    if spec.default_chips is not None:
        return spec.open(DatasetRequest(chips=40))
    if spec.name == "folder":
        return spec.open(DatasetRequest(root=write_chips(tmp_path_factory.mktemp("d") / "chips")))
    if spec.name in ROOTS:
        root = request.getfixturevalue("shared") / "data" / ROOTS[spec.name]
        return spec.open(DatasetRequest(root=root))
    # Somebody else's stands where their commands find it.
    return open_dataset(spec.name)


def test_its_grids_hold_its_bands(dataset):
    held = [band for grid in dataset.grids for band in grid.bands]
    assert held == [band.name for band in dataset.bands]


def test_its_chips_keep_their_contract(dataset):
    for row in range(0, len(dataset.samples), 7):
        assert refusal(dataset.reader.read(row), contract_of(dataset)) == ""


def test_its_reader_travels_to_another_process(dataset):
    there = pickle.loads(pickle.dumps(dataset.reader)).read(1)
    assert all(
        np.array_equal(there[name], pixels) for name, pixels in dataset.reader.read(1).items()
    )


@pytest.fixture(scope="module")
def opened():
    """Paths that this process opens, once the list is emptied."""
    paths = []
    # A hook cannot be taken away; it costs nothing but a list.
    sys.addaudithook(lambda event, args: event == "open" and paths.append(args[0]))
    return paths


def test_its_reader_names_the_files_that_it_reads(dataset, opened):
    for row in (0, len(dataset.samples) - 1):
        opened.clear()
        dataset.reader.read(row)
        read = {str(path) for path in opened if str(path).startswith(str(dataset.root))}
        files = dataset.reader.files(row)
        assert read <= set(files)
        assert all(os.path.isfile(path) for path in files)
        assert bool(read) == bool(files) == (dataset.root is not None)


def test_its_columns_are_as_long_as_its_ids(dataset):
    samples = dataset.samples
    columns = [samples.origins, *(s.codes for s in samples.labels.values())]
    columns += [*samples.splits.values(), *samples.meta.values()]
    known = (samples.group, samples.pair_id, samples.lonlat, samples.time, samples.exclude)
    columns += [column for column in known if column is not None]
    assert {len(column) for column in columns} == {len(samples)}


def test_its_labels_are_classes_or_unknown(dataset):
    for label_set in dataset.samples.labels.values():
        top = 1 if label_set.is_multilabel else len(label_set.classes) - 1
        assert -1 <= label_set.codes.min() <= label_set.codes.max() <= top


def test_it_says_where_it_comes_from(dataset):
    assert dataset.licence
    assert dataset.processing


def test_its_statistics_are_of_its_bands(dataset):
    if dataset.statistics is None:
        pytest.skip(f"nobody published statistics of {dataset.name}")
    assert set(dataset.statistics.values) == {band.name for band in dataset.bands}
    assert dataset.statistics.source


def test_it_has_splits_or_says_where_they_come_from(dataset):
    splits = dataset.samples.splits.values()
    has_any = any((codes != UNLABELLED).any() for codes in splits)
    assert has_any or dataset.splits_from or not dataset.samples.splits
