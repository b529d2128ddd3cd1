"""The forest probe; what every probe promises is in the contract tests."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from featbank.errors import UnknownNameError
from featbank.probes.fitting import forest_classifier
from featbank.probes.fitting.forest_classifier import ForestClassifier, forest_bytes

OPTIONS = {"trees": 20, "max_leaves": 40, "max_samples": 300}


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=(500, 5))
    labels[:, 3] = 1
    return rng.normal(size=(500, 6)).astype(np.float32), labels


def reference(kind, n, several):
    options = {"n_estimators": 20, "max_leaf_nodes": 40, "random_state": 0}
    if kind == "random-forest" or n > 300:
        options |= {"max_samples": min(300, n), "bootstrap": True}
    make = RandomForestClassifier if kind == "random-forest" else ExtraTreesClassifier
    return make(**options)


@pytest.mark.parametrize("n", [200, 500])
@pytest.mark.parametrize("kind", ["extra-trees", "random-forest"])
def test_probabilities_of_labels_equal_scikit_learns(samples, kind, n):
    X, y = samples[0][:n], samples[1][:n]
    found = ForestClassifier(kind=kind, **OPTIONS).fit(X, y).predict_proba(samples[0])
    votes = reference(kind, n, True).fit(X, y).predict_proba(samples[0])
    assert [v.shape[1] for v in votes] == [2, 2, 2, 1, 2]
    np.testing.assert_allclose(found, np.stack([v[:, -1] for v in votes], 1), atol=1e-7)


@pytest.mark.parametrize("n", [200, 500])
@pytest.mark.parametrize("kind", ["extra-trees", "random-forest"])
def test_probabilities_of_one_class_equal_scikit_learns(samples, kind, n):
    X, y = samples[0][:n], (samples[1] @ [1, 2, 0, 0, 0])[:n]
    found = ForestClassifier(kind=kind, **OPTIONS).fit(X, y).predict_proba(samples[0])
    expected = reference(kind, n, False).fit(X, y).predict_proba(samples[0])
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_samples_on_a_threshold_go_where_scikit_learn_sends_them(samples):
    X = np.round(samples[0] * 4) / 3
    found = ForestClassifier(kind="random-forest", **OPTIONS).fit(X, samples[1][:, 0])
    at = X.copy()
    chosen = found.feature_ == 2
    at[: chosen.sum(), 2] = found.threshold_[chosen][: len(at)]
    expected = reference("random-forest", 500, False).fit(X, samples[1][:, 0])
    np.testing.assert_allclose(found.predict_proba(at), expected.predict_proba(at), atol=1e-7)


@pytest.fixture(scope="module")
def forest(samples):
    return ForestClassifier(**OPTIONS).fit(*samples)


def arrays(forest):
    return {n: v for n, v in vars(forest).items() if n.endswith("_") and not n.startswith("n_")}


def test_parameters_and_arrays_are_all_that_predicts(samples, forest):
    read = ForestClassifier(**forest.get_params())
    vars(read).update(arrays(forest), n_features_in_=6)
    X = samples[0]
    np.testing.assert_array_equal(read.predict_proba(X), forest.predict_proba(X))


def test_arrays_survive_safetensors(forest):
    from safetensors.numpy import load, save

    kept = {n: v for n, v in arrays(forest).items() if isinstance(v, np.ndarray)}
    read = load(save(kept))
    assert {"roots_", "feature_", "threshold_", "left_", "right_", "values_"} <= set(read)
    assert all(np.array_equal(read[name], kept[name]) for name in kept)


def test_nothing_of_scikit_learn_stays(forest):
    assert {type(value) for value in arrays(forest).values()} == {np.ndarray, bool}


def test_trees_have_no_more_leaves_than_asked_for(forest):
    leaves = np.add.reduceat(forest.feature_ < 0, forest.roots_)
    assert leaves.tolist() == [40] * 20


@pytest.mark.parametrize("several", [True, False])
def test_memory_is_no_more_than_stated(samples, several):
    y = samples[1] if several else samples[1] @ [1, 2, 4, 0, 0]
    found = arrays(ForestClassifier(**OPTIONS).fit(samples[0], y))
    classes = found.pop("classes_")
    taken = sum(v.nbytes for v in found.values() if isinstance(v, np.ndarray))
    bound = forest_bytes(trees=20, max_leaves=40, n_classes=len(classes))
    assert 0.9 * bound < taken <= bound + 4 * 20


def test_few_trees_at_a_time_are_scikit_learns(samples, monkeypatch):
    standing = []
    grown = ForestClassifier._grown

    def watched(self, forest, X, codes):
        for tree in grown(self, forest, X, codes):
            standing.append(sum(t is not None for t in forest.estimators_))
            yield tree

    monkeypatch.setattr(ForestClassifier, "_grown", watched)
    monkeypatch.setattr(forest_classifier, "_GROWN_AT_ONCE", 6)
    ForestClassifier(**OPTIONS).fit(*samples)
    assert (len(standing), max(standing)) == (20, 6)


def test_how_many_grow_at_once_changes_no_bit(samples, forest, monkeypatch):
    monkeypatch.setattr(forest_classifier, "_GROWN_AT_ONCE", 3)
    again = arrays(ForestClassifier(**OPTIONS).fit(*samples))
    assert all(np.array_equal(value, again[name]) for name, value in arrays(forest).items())


def test_progress_is_told_as_the_forest_grows(samples):
    told = []
    classifier = ForestClassifier(**OPTIONS)
    classifier.progress = lambda *step: told.append(step)
    classifier.fit(*samples)
    assert told == [(16, 20), (20, 20)]


@pytest.mark.parametrize("rows", [1, 33])
def test_blocks_do_not_change_probabilities(samples, forest, rows, monkeypatch):
    whole = forest.predict_proba(samples[0])
    monkeypatch.setattr(forest_classifier, "_PREDICT_ROWS", rows)
    np.testing.assert_array_equal(forest.predict_proba(samples[0]), whole)


def test_an_unknown_kind_is_refused(samples):
    with pytest.raises(UnknownNameError, match="Did you mean 'extra-trees'"):
        ForestClassifier(kind="extra-tree").fit(*samples)
