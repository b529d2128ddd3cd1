"""What every method makes is a backbone: its features are embedded and probed like any other's."""

import numpy as np
import pandas as pd
import pytest

import featbank
from featbank.methods import METHODS

# Two steps at the size of a test.
SMALL = {
    "warmup_epochs": 0,
    "prototypes": 16,
    "patch_prototypes": 16,
    "head_hidden": 32,
    "head_bottleneck": 16,
    "local_count": 2,
    "teacher_temperature_epochs": 0,
}
CHIPS = {"chips": 96}


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return tmp_path_factory.mktemp("bank")


@pytest.fixture(scope="module")
def teacher(bank):
    return pretrained("dinov2", bank)


def pretrained(method, bank, **options):
    hyper = {name: value for name, value in SMALL.items() if name in METHODS[method].hyper}
    return featbank.pretrain(
        method,
        "vit-tiny",
        "synthetic-rgb",
        bank=bank,
        hyper=hyper,
        steps=2,
        batch_size=8,
        image_size=32,
        workers=0,
        **CHIPS,
        **options,
    )


@pytest.fixture(scope="module", params=list(METHODS))
def checkpoint(request, bank, teacher):
    more = {"teacher": teacher} if METHODS[request.param].needs_teacher else {}
    return pretrained(request.param, bank, **more)


@pytest.fixture(scope="module")
def store(checkpoint, bank):
    return featbank.embed(str(checkpoint), "synthetic-rgb", bank=bank, workers=0, **CHIPS)


def test_features_are_finite_and_differ_by_chip(store):
    features = store.features()
    assert features.shape == (96, 192)
    assert np.isfinite(features).all()
    assert len(np.unique(features, axis=0)) == 96


def test_a_probe_takes_them_under_the_checkpoint_s_name(checkpoint, store, bank):
    found = featbank.probe("knn", store, bank=bank, resamples=0)
    assert isinstance(found, pd.DataFrame)
    assert 0 <= found.loc[0, "value"] <= 1
    assert checkpoint.name in found.loc[0, "model"]
