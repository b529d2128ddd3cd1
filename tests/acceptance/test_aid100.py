"""The first run on real imagery, all from the shell: the tiny ViT on 3,000 aerial scenes."""

import json

import numpy as np
import pandas as pd
import pytest
from shell import shell

import featbank

pytestmark = pytest.mark.slow
SCHEMES = [f"random-{seed}" for seed in range(5)]


@pytest.fixture(scope="module")
def aid_store(aid_bank):
    """The store of the tiny ViT."""
    return featbank.open_store(next((aid_bank / "stores" / "aid100").glob("vit-tiny-*.zarr")))


@pytest.fixture(scope="module")
def aid_split(aid_store):
    """Features and labels of train and validation together, then of test, of ``random-0``."""
    train, val, test = (
        aid_store.xy(name, split_scheme="random-0") for name in ("train", "val", "test")
    )
    return np.concatenate([train[0], val[0]]), np.concatenate([train[1], val[1]]), *test


@pytest.fixture(scope="module")
def probed(aid_bank):
    """Headline row of a probe from the shell."""

    def headline(clf, scheme, model="vit-tiny"):
        asked = ("--clf", clf, "--split-scheme", scheme, "--model", model)
        return shell(aid_bank, "probe", *asked, "--no-baselines")["results"][0]

    return headline


@pytest.fixture(scope="module")
def means(probed):
    return {
        clf: np.mean([probed(clf, scheme)["value"] for scheme in SCHEMES])
        for clf in ("knn", "logistic")
    }


def test_20_nearest_neighbours_reach_the_reference(means):
    assert means["knn"] >= 0.73


def test_logistic_regression_reaches_the_reference(means):
    assert means["logistic"] >= 0.81


@pytest.mark.parametrize("clf", ["knn", "logistic"])
def test_image_statistics_are_far_below(probed, means, clf):
    assert probed(clf, "random-0", "imagestats")["value"] < means[clf] - 0.25


def test_knn_agrees_with_scikit_learns(probed, aid_split):
    from sklearn.neighbors import KNeighborsClassifier

    reference = KNeighborsClassifier(
        20, metric="cosine", weights=lambda distance: np.exp((1 - distance) / 0.07)
    )
    X, y, X_test, y_test = aid_split
    expected = reference.fit(X, y).score(X_test, y_test)
    assert probed("knn", "random-0")["value"] == pytest.approx(expected, abs=0.005)


def test_logistic_agrees_with_an_independent_run_of_scikit_learns(probed, aid_store, aid_split):
    from sklearn.linear_model import LogisticRegression

    def fit(C, X, y):
        return LogisticRegression(C=C, max_iter=5000).fit(X.astype(np.float64), y)

    (X, y), (X_val, y_val) = (
        aid_store.xy(name, split_scheme="random-0") for name in ("train", "val")
    )
    tried = {C: fit(C, X, y).score(X_val, y_val) for C in (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)}
    X, y, X_test, y_test = aid_split
    expected = fit(max(tried, key=tried.get), X, y).score(X_test, y_test)
    assert probed("logistic", "random-0")["value"] == pytest.approx(expected, abs=0.005)


def test_predictions_are_on_the_ids_of_the_split(aid_bank, aid100):
    asked = ("--clf", "knn", "--model", "vit-tiny", "--split-scheme", "random-0")
    found = shell(aid_bank, "probe", *asked)
    ids = set(pd.read_parquet(found["predictions_path"])["sample_id"])
    samples = featbank.open_dataset(aid100).samples
    assert ids == set(samples.ids[samples.splits["random-0"] == 2])


def test_the_baseline_stands_beside(aid_bank):
    asked = ("--clf", "knn", "--model", "vit-tiny", "--split-scheme", "random-0")
    (row,) = shell(aid_bank, "probe", *asked)["baselines"]
    assert row["model"] == "imagestats"


@pytest.fixture(scope="module")
def protocol(aid_bank, aid_store):
    def run(name, **options):
        options = {"resamples": 0, "seeds": 1, "split_scheme": "random-0"} | options
        return featbank.probe(protocol=name, store=aid_store, bank=aid_bank, **options).iloc[0]

    return run


@pytest.fixture(scope="module")
def train(aid_store):
    X, y = aid_store.xy("train", split_scheme="random-0")
    return X, y


def test_five_neighbours_of_torchgeo_bench_are_scikit_learns(protocol, train, aid_split):
    from sklearn.neighbors import KNeighborsClassifier

    _, _, X_test, y_test = aid_split
    expected = KNeighborsClassifier(5).fit(*train).score(X_test, y_test)
    assert protocol("torchgeo-bench-knn5", features="cls")["value"] == pytest.approx(expected)


def test_the_swept_strength_of_a_protocol_is_scikit_learns_optimum(protocol, train, aid_split):
    from sklearn.linear_model import LogisticRegression

    row = protocol("dinov2-logreg")
    X, y = train
    C = json.loads(row["params"])["C"]
    expected = LogisticRegression(C=C, max_iter=5000, tol=1e-6).fit(X.astype(np.float64), y)
    assert row["value"] == pytest.approx(expected.score(*aid_split[2:]), abs=0.002)


@pytest.mark.parametrize("name", ["dinov2-knn", "lightly-knn", "pangaea-knn"])
def test_the_k_nn_of_the_field_is_within_reach_of_ours(protocol, name):
    assert protocol(name)["value"] > 0.6


def test_52_heads_are_as_good_as_logistic_regression(protocol):
    row = protocol("dinov2-linear-frozen", params={"steps": 1000, "batch_size": 256})
    assert row["value"] > 0.81


def test_more_shots_are_better(aid_bank, aid_store):
    rows = featbank.probe(
        "logistic", aid_store, bank=aid_bank, shots=(1, 5, 10), tries=3, params={"C": 0.1}
    )
    values = rows.sort_values("shots")["value"].to_numpy()
    assert (np.diff(values) > 0.05).all()
