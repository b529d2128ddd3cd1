"""Probing joined stores, and one store by another."""

import numpy as np
import pytest
from layered_store import N, make_layered_store

from featbank.errors import MissingPathError, StoreError
from featbank.stages.probe.run import ProbeOptions, probe_store

OTHER = {"recipe_id": "4" * 64, "model": "other"}


@pytest.fixture
def bank(tmp_path):
    return tmp_path / "bank"


def store(bank, model="vit", dataset="made", **changes):
    path = bank / "stores" / dataset / f"{model}-00000000.zarr"
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_layered_store(path, model=model, dataset=dataset, **changes)


def run(bank, **options):
    options = {"clf": "logistic", "params": {"C": 1.0}, "resamples": 20} | options
    return probe_store(ProbeOptions(bank=bank, **options))


def test_joined_stores_are_named_by_model_and_dataset(bank):
    store(bank)
    store(bank, **OTHER)
    head = run(bank, concat=("vit", "other"), dataset="made").results[0]
    assert (head.model, " + " in head.store) == ("vit + other", True)


def test_joined_stores_are_named_by_path(bank):
    paths = (str(store(bank)), str(store(bank, **OTHER)))
    assert run(bank, concat=paths).results[0].model == "vit + other"


def test_features_that_complement_each_other_are_better_joined(bank):
    codes = np.arange(N) % 3
    for model, known in (("vit", 0), ("other", 1)):
        features = np.random.default_rng(known).normal(size=(N, 4, 6))
        features[:, :, 0] += 6 * (codes == known)[:, None]
        store(bank, model=model, features=features, recipe_id=str(known) * 64)
    alone = [run(bank, model=model, dataset="made").results[0].value for model in ("vit", "other")]
    joined = run(bank, concat=("vit", "other"), dataset="made").results[0].value
    assert joined > max(alone) + 0.1


def test_a_model_without_a_store_is_named(bank):
    store(bank)
    with pytest.raises(MissingPathError, match="no store of model 'dofa'"):
        run(bank, concat=("vit", "dofa"), dataset="made")


def test_another_store_is_scored(bank):
    first, second = store(bank), store(bank, dataset="elsewhere", recipe_id="4" * 64)
    head = run(bank, store=first, test_store=second).results[0]
    assert (head.store, head.test_store) == (str(first), str(second))


def test_stores_embedded_in_another_way_are_refused(bank):
    first = store(bank, recipe={"input": {"bands": ["B04"]}})
    second = store(bank, dataset="elsewhere", recipe={"input": {"bands": ["B08"]}})
    with pytest.raises(StoreError, match="bands"):
        run(bank, store=first, test_store=second)


def test_a_mismatch_that_is_allowed_is_noted(bank):
    first = store(bank, recipe={"input": {"bands": ["B04"]}})
    second = store(bank, dataset="elsewhere", recipe={"input": {"bands": ["B08"]}})
    head = run(bank, store=first, test_store=second, allow_mismatch=True).results[0]
    assert "bands" in head.note
