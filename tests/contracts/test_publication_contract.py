"""Every published number is of a dataset, label set and metric that we have."""

import re
from dataclasses import replace

import pytest

from featbank.datasets import DATASETS
from featbank.errors import CatalogError
from featbank.metrics import METRICS
from featbank.publications import PUBLICATIONS

# Of datasets that are here; what sets those of others have, only their files tell.
LABEL_SETS = {"bigearthnet": {"19-class", "43-class"}, "eurosat": {"class"}}


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
    for row in publication.rows:
        known = LABEL_SETS.get(row.dataset.partition("-")[0])
        assert row.label_set in known if known else row.label_set


def test_values_are_shares(publication):
    assert all(0 < row.value < 1 for row in publication.rows)


def test_no_number_stands_twice(publication):
    assert len(set(publication.rows)) == len(publication.rows)


def test_rows_carry_commit_normalisation_and_date(publication):
    for row in publication.rows:
        assert row.commit
        assert row.normalisation
        assert re.fullmatch(r"20\d\d(-\d\d){0,2}", row.date)


@pytest.mark.parametrize(
    "lacking",
    [
        *({"commit": ""}, {"commit": "?"}, {"commit": None}, {"normalisation": " "}),
        *({"normalisation": "-"}, {"date": ""}, {"date": "last August"}, {"date": "2025-13"}),
        *({"date": "2025-02-31"}, {"date": "0000"}, {"date": None}),
    ],
)
def test_a_row_without_one_of_them_is_refused(lacking):
    row = PUBLICATIONS["torchgeo-bench"].rows[0]
    with pytest.raises(CatalogError, match=next(iter(lacking))):
        replace(row, **lacking)


def of_bench(model, normalisation, note):
    rows = PUBLICATIONS["torchgeo-bench"].rows
    found = (r for r in rows if (r.model, r.normalisation) == (model, normalisation))
    return [row.value for row in found if row.note.startswith(note)]


def test_resnet_50_is_better_by_its_own_normalisation_than_by_the_datasets():
    # Second run upstream: results/models/tgeo_resnet50_s2rgb_moco.csv, m-eurosat, knn5 and linear.
    assert of_bench("ResNet-50 MoCo, RGB", "model_native", "m-eurosat") == [0.938, 0.956]
    assert of_bench("ResNet-50 MoCo, RGB", "bandspec_zscore", "m-eurosat") == [0.728, 0.857]


@pytest.mark.parametrize("model", ["DOFA", "Panopticon", "CROMA", "Prithvi"])
def test_rows_that_join_sensors_of_different_scales_are_withdrawn(model):
    rows = PUBLICATIONS["torchgeo-bench"].rows
    of_model = [row for row in rows if row.model.startswith(model) and "all bands" in row.model]
    assert of_model
    assert not [row for row in of_model if row.note.startswith("benv2")]


def test_the_studys_best_f2_is_that_of_its_mlp():
    rows = [r for r in PUBLICATIONS["HTCV 2024"].rows if (r.metric, r.average) == ("f2", "macro")]
    best = max((r for r in rows if r.label_set == "19-class"), key=lambda row: row.value)
    assert (best.probe, best.value) == ("mlp", 0.345)
