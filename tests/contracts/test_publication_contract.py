"""Every published number is of a dataset, label set and metric that we have."""

import pytest

from featbank.datasets import DATASETS
from featbank.metrics import METRICS
from featbank.publications import PUBLICATIONS

LABEL_SETS = {"19-class", "43-class", "class"}


@pytest.fixture(params=list(PUBLICATIONS))
def publication(request):
    return PUBLICATIONS[request.param]


def test_publication_states_its_source(publication):
    assert publication.source


def test_rows_are_of_our_datasets(publication):
    assert {row.dataset for row in publication.rows} <= set(DATASETS)


def test_rows_are_of_our_metrics(publication):
    assert {row.metric for row in publication.rows} <= set(METRICS)


def test_rows_are_of_label_sets_that_datasets_have(publication):
    assert {row.label_set for row in publication.rows} <= LABEL_SETS


def test_values_are_shares(publication):
    assert all(0 < row.value < 1 for row in publication.rows)


def test_no_number_stands_twice(publication):
    assert len(set(publication.rows)) == len(publication.rows)


def test_the_studys_best_f2_is_that_of_its_mlp():
    rows = [r for r in PUBLICATIONS["HTCV 2024"].rows if (r.metric, r.average) == ("f2", "macro")]
    best = max((r for r in rows if r.label_set == "19-class"), key=lambda row: row.value)
    assert (best.probe, best.value) == ("mlp", 0.345)
