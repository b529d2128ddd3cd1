"""The k-NN probe; what every probe promises is in the contract tests."""

import numpy as np
import pytest

from featbank.errors import ProbeError
from featbank.probes._knn_classifier import KnnClassifier


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
    np.testing.assert_allclose(KnnClassifier().fit(X * scale, y).predict_proba(X), plain)


def test_all_neighbours_at_a_huge_temperature_give_the_class_shares(samples):
    X, y = samples
    probabilities = KnnClassifier(k=60, temperature=1e9).fit(X, y).predict_proba(X[:1])
    np.testing.assert_allclose(probabilities[0], np.bincount(y) / 60, atol=1e-7)


def test_features_are_compared_in_float64(samples):
    X, y = samples
    assert KnnClassifier().fit(X.astype(np.float32), y).features_.dtype == np.float64


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
        np.testing.assert_allclose(probabilities, weights @ labels[near] / weights.sum())
