"""Every dataset keeps what its record promises, whoever added it."""

import pickle

import numpy as np
import pytest
from fake_chips import write_chips

from featbank.datasets import DATASETS, DatasetRequest
from featbank.inputs.checks import refusal
from featbank.stages.embed_plan import contract_of


@pytest.fixture(scope="module", params=list(DATASETS))
def dataset(request, tmp_path_factory):
    spec = DATASETS[request.param]
    if spec.default_chips is not None:
        return spec.open(DatasetRequest(chips=40))
    if spec.name == "folder":
        return spec.open(DatasetRequest(root=write_chips(tmp_path_factory.mktemp("d") / "chips")))
    pytest.skip(f"{spec.name} needs its own imagery; its own tests open it")


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


def test_its_columns_are_as_long_as_its_ids(dataset):
    samples = dataset.samples
    columns = [samples.origins, *(s.codes for s in samples.labels.values())]
    columns += [*samples.splits.values(), *samples.meta.values()]
    columns += [c for c in (samples.group, samples.lonlat, samples.exclude) if c is not None]
    assert {len(column) for column in columns} == {len(samples)}


def test_its_labels_are_classes_or_unknown(dataset):
    for label_set in dataset.samples.labels.values():
        top = 1 if label_set.is_multilabel else len(label_set.classes) - 1
        assert -1 <= label_set.codes.min() <= label_set.codes.max() <= top


def test_it_says_where_it_comes_from(dataset):
    assert dataset.licence
    assert dataset.processing
