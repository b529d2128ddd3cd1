"""The k-NN probe; what every probe promises is in the contract tests."""

import numpy as np
import pytest

from featbank.errors import ProbeError, UnknownNameError
from featbank.knn import search
from featbank.probes import knn
from featbank.probes.fitting import neighbour_search
from featbank.probes.fitting.knn_classifier import KnnClassifier


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 5)), rng.integers(3, size=60)


def test_one_neighbour_recalls_the_training_labels(samples):
    X, y = samples
    np.testing.assert_array_equal(KnnClassifier(k=1).fit(X, y).predict(X), y)


def test_norms_of_features_do_not_matter(samples):
    X, y = samples
    scale = np.random.default_rng(1).uniform(0.1, 9, size=(60, 1))
    plain = KnnClassifier().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(KnnClassifier().fit(X * scale, y).predict_proba(X), plain, atol=1e-5)


def test_all_neighbours_at_a_huge_temperature_give_the_class_shares(samples):
    X, y = samples
    probabilities = KnnClassifier(k=60, temperature=1e9).fit(X, y).predict_proba(X[:1])
    np.testing.assert_allclose(probabilities[0], np.bincount(y) / 60, atol=1e-7)


def test_no_copy_of_the_features_is_wider_than_float32(samples):
    X, y = samples
    assert KnnClassifier().fit(X.astype(np.float32), y).features_.dtype == np.float32


def test_columns_follow_sorted_labels(samples):
    X, y = samples
    names = np.array(["river", "beach", "forest"])[y]
    assert KnnClassifier().fit(X, names).classes_.tolist() == ["beach", "forest", "river"]


def test_more_neighbours_than_samples_are_refused(samples):
    X, y = samples
    with pytest.raises(ProbeError, match="k: it is 61 and the training set has n_samples = 60"):
        KnnClassifier(k=61).fit(X, y)


def test_a_temperature_of_zero_is_refused(samples):
    with pytest.raises(ProbeError, match="temperature: it is 0"):
        KnnClassifier(temperature=0).fit(*samples)


def test_labels_get_the_weight_of_the_neighbours_that_bear_them(samples):
    X = samples[0]
    labels = np.random.default_rng(1).integers(2, size=(60, 4))
    found = KnnClassifier(k=5, temperature=0.1).fit(X, labels).predict_proba(X[:3])
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    for row, probabilities in zip(unit[:3] @ unit.T, found, strict=True):
        near = np.argsort(-row)[:5]
        weights = np.exp(row[near] / 0.1)
        np.testing.assert_allclose(probabilities, weights @ labels[near] / weights.sum(), atol=1e-6)


def test_softmax_over_more_neighbours_is_truncated_as_in_dinov2(shared):
    from safetensors.numpy import load_file

    golden = load_file(shared / "golden" / "knn.safetensors")
    classifier = KnnClassifier(k=20, normalise_over=200)
    classifier.fit(golden["train_features"], golden["train_labels"])
    found = classifier.predict_proba(golden["test_features"])
    np.testing.assert_allclose(found, golden["scores_k20"], atol=1e-5)


def test_uniform_votes_by_euclidean_distance_equal_scikit_learns(samples):
    from sklearn.neighbors import KNeighborsClassifier

    X, y = samples
    found = KnnClassifier(k=5, weights="uniform", metric="euclidean").fit(X, y).predict_proba(X)
    expected = KNeighborsClassifier(5, algorithm="brute").fit(X, y).predict_proba(X)
    np.testing.assert_allclose(found, expected)


def test_parameters_and_arrays_are_all_that_predicts(samples):
    X, y = samples
    fitted = KnnClassifier(metric="euclidean", k=3).fit(X, y)
    read = KnnClassifier(**fitted.get_params())
    kept = {n: v for n, v in vars(fitted).items() if n.endswith("_")}
    vars(read).update(kept, n_features_in_=5)
    np.testing.assert_array_equal(read.predict_proba(X), fitted.predict_proba(X))


def test_a_grid_of_k_searches_once(samples, monkeypatch):
    X, y = samples
    calls = []
    monkeypatch.setattr(
        neighbour_search,
        "nearest",
        lambda *a, k, **how: calls.append(k) or search.nearest(*a, k=k, **how),
    )
    candidates = [({"k": k}, 0) for k in (1, 7, 30, 5)]
    found = [c.predict_proba(X) for c in knn.fit_grid(candidates, X, y)]
    assert calls == [30]
    for (params, _), probabilities in zip(candidates, found, strict=True):
        alone = KnnClassifier(**params).fit(X, y).predict_proba(X)
        np.testing.assert_array_equal(probabilities, alone)


def test_other_queries_in_the_same_array_are_searched_anew(samples):
    X, y = samples
    classifier, queries = KnnClassifier(k=1).fit(X, y), X[:5].astype(np.float32)
    classifier.predict(queries)
    queries[:] = X[30:35]
    np.testing.assert_array_equal(classifier.predict(queries), y[30:35])


def test_unknown_weights_and_metrics_are_refused_before_any_work(samples):
    for params in ({"weights": "gauss"}, {"metric": "manhattan"}):
        with pytest.raises(UnknownNameError, match="expected one of"):
            KnnClassifier(**params).fit(*samples)
