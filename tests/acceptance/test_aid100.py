"""The first run on real imagery, all from the shell: the tiny ViT on 3,000 aerial scenes."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import featbank

pytestmark = pytest.mark.slow
SCHEMES = [f"random-{seed}" for seed in range(5)]


def shell(bank, *args):
    command = [sys.executable, "-m", "featbank", *map(str, args), "--bank", str(bank), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def bank(tmp_path_factory, aid100, tiny_weights):
    root = tmp_path_factory.mktemp("aid") / "bank"
    shell(root, "embed", "--model", "imagestats", "--dataset", aid100)
    vit = ("--model", "vit-tiny", "--weights", tiny_weights, "--normalise", "half")
    shell(root, "embed", *vit, "--dataset", aid100)
    return root


def accuracy(bank, clf, scheme, model="vit-tiny"):
    found = shell(bank, "probe", "--clf", clf, "--split-scheme", scheme, "--model", model)
    return found["results"][0]


@pytest.fixture(scope="module")
def means(bank):
    return {
        clf: np.mean([accuracy(bank, clf, scheme)["value"] for scheme in SCHEMES])
        for clf in ("knn", "logistic")
    }


def test_20_nearest_neighbours_reach_the_reference(means):
    assert means["knn"] >= 0.73


def test_logistic_regression_reaches_the_reference(means):
    assert means["logistic"] >= 0.81


@pytest.mark.parametrize("clf", ["knn", "logistic"])
def test_image_statistics_are_far_below(bank, means, clf):
    assert accuracy(bank, clf, "random-0", "imagestats")["value"] < means[clf] - 0.25


@pytest.fixture(scope="module")
def split(bank):
    store = featbank.open_store(next((bank / "stores" / "aid100").glob("vit-tiny-*.zarr")))
    train, val, test = (
        store.xy(name, split_scheme="random-0") for name in ("train", "val", "test")
    )
    return np.concatenate([train[0], val[0]]), np.concatenate([train[1], val[1]]), *test


def test_knn_agrees_with_scikit_learns(bank, split):
    from sklearn.neighbors import KNeighborsClassifier

    reference = KNeighborsClassifier(
        20, metric="cosine", weights=lambda distance: np.exp((1 - distance) / 0.07)
    )
    X, y, X_test, y_test = split
    expected = reference.fit(X, y).score(X_test, y_test)
    assert accuracy(bank, "knn", "random-0")["value"] == pytest.approx(expected, abs=0.01)


def test_logistic_agrees_with_scikit_learns(bank, split):
    from sklearn.linear_model import LogisticRegression

    ours = accuracy(bank, "logistic", "random-0")
    C = json.loads(ours["params"])["C"]
    X, y, X_test, y_test = split
    expected = LogisticRegression(C=C, max_iter=5000).fit(X.astype(float), y).score(X_test, y_test)
    assert ours["value"] == pytest.approx(expected, abs=0.01)


def test_predictions_are_on_the_ids_of_the_split(bank, aid100):
    found = shell(
        bank, "probe", "--clf", "knn", "--model", "vit-tiny", "--split-scheme", "random-0"
    )
    ids = set(pd.read_parquet(found["predictions_path"])["sample_id"])
    samples = featbank.open_dataset(aid100).samples
    assert ids == set(samples.ids[samples.splits["random-0"] == 2])
