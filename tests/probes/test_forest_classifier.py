"""The forest probe; what every probe promises is in the contract tests."""

import pickle

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from featbank.probes import _forest_classifier
from featbank.probes._forest_classifier import ForestClassifier, forest_bytes

OPTIONS = {"trees": 8, "max_leaves": 40, "max_samples": 300}


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    return rng.normal(size=(500, 6)).astype(np.float32), rng.integers(2, size=(500, 5))


@pytest.fixture(scope="module")
def forest(samples):
    return ForestClassifier(**OPTIONS).fit(*samples)


@pytest.fixture(scope="module")
def reference(samples):
    options = {"n_estimators": 8, "max_leaf_nodes": 40, "max_samples": 300, "random_state": 0}
    return RandomForestClassifier(**options).fit(*samples)


def test_probabilities_of_labels_equal_scikit_learns(samples, forest, reference):
    expected = np.stack([votes[:, 1] for votes in reference.predict_proba(samples[0])], axis=1)
    np.testing.assert_allclose(forest.predict_proba(samples[0]), expected, atol=1e-12)


def test_probabilities_of_one_class_equal_scikit_learns(samples):
    X, y = samples[0], samples[1] @ [1, 2, 0, 0, 0]
    options = {"n_estimators": 8, "max_leaf_nodes": 40, "max_samples": 300, "random_state": 0}
    expected = RandomForestClassifier(**options).fit(X, y).predict_proba(X)
    found = ForestClassifier(**OPTIONS).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_trees_have_no_more_leaves_than_asked_for(forest):
    assert {tree.get_n_leaves() for tree in forest.model_.estimators_} == {40}


def test_a_tree_draws_no_more_samples_than_asked_for(forest):
    assert {int(tree.tree_.weighted_n_node_samples[0]) for tree in forest.model_.estimators_} == {
        300
    }


def node_bytes(forest):
    trees = [tree.tree_ for tree in forest.model_.estimators_]
    return sum(tree.value.nbytes + tree.__getstate__()["nodes"].nbytes for tree in trees)


@pytest.mark.parametrize("multilabel", [True, False])
def test_memory_is_no_more_than_stated(samples, multilabel):
    y = samples[1] if multilabel else samples[1] @ [1, 2, 4, 0, 0]
    found = ForestClassifier(**OPTIONS).fit(samples[0], y)
    bound = forest_bytes(
        trees=8, max_leaves=40, n_classes=5 if multilabel else 8, multilabel=multilabel
    )
    assert 0.9 * bound < node_bytes(found) <= bound


def test_the_pickle_is_little_more_than_the_nodes(forest):
    assert len(pickle.dumps(forest)) < node_bytes(forest) + 8 * 5000


def test_blocks_do_not_change_probabilities(samples, forest, monkeypatch):
    whole = forest.predict_proba(samples[0])
    monkeypatch.setattr(_forest_classifier, "_PREDICT_ROWS", 33)
    np.testing.assert_array_equal(forest.predict_proba(samples[0]), whole)
