"""Every probe of the catalog keeps scikit-learn's contract and ours."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from featbank.probes import PROBES

# scikit-learn's checks fit sets of a few samples; probes that need more name smaller parameters.
TINY_SETS = {"knn": {"k": 2}}


@pytest.fixture(params=list(PROBES))
def spec(request):
    return PROBES[request.param]


def make_samples(classes):
    rng = np.random.default_rng(classes)
    y = np.arange(40 * classes) % classes
    return rng.normal(size=(len(y), 6)) + 3 * np.eye(classes, 6)[y], y


def build(spec, seed=0, **params):
    return spec.build({**spec.defaults, **params}, seed)


def test_listing_the_catalog_imports_nothing_heavy():
    code = (
        "import sys; from featbank.probes import PROBES; list(PROBES);"
        "assert not {'sklearn', 'scipy', 'torch', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_probe_passes_scikit_learns_checks(spec):
    check_estimator(build(spec, **TINY_SETS.get(spec.name, {})), on_skip=None)


def test_probe_can_be_cloned(spec):
    classifier = build(spec)
    assert clone(classifier).get_params() == classifier.get_params()


@pytest.mark.parametrize("classes", [2, 5])
def test_probabilities_have_one_column_a_class_and_sum_to_one(spec, classes):
    X, y = make_samples(classes)
    probabilities = build(spec).fit(X, y).predict_proba(X)
    assert probabilities.shape == (len(X), classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_columns_stand_in_the_order_of_classes(spec):
    X, y = make_samples(5)
    classifier = build(spec).fit(X, 10 - 2 * y)
    assert classifier.classes_.tolist() == [2, 4, 6, 8, 10]


def test_prediction_is_the_most_probable_class(spec):
    X, y = make_samples(5)
    classifier = build(spec).fit(X, y)
    best = classifier.classes_[classifier.predict_proba(X).argmax(axis=1)]
    np.testing.assert_array_equal(classifier.predict(X), best)


def test_separable_classes_are_told_apart(spec):
    X, y = make_samples(5)
    assert (build(spec).fit(X[::2], y[::2]).predict(X[1::2]) == y[1::2]).mean() > 0.8


def test_equal_seeds_give_equal_probabilities(spec):
    X, y = make_samples(5)
    first, second = (build(spec, seed=7).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_every_grid_member_fits(spec):
    X, y = make_samples(2)
    for member in spec.grid:
        build(spec, **member).fit(X, y)


def test_defaults_are_parameters_of_the_classifier(spec):
    assert set(spec.defaults) <= set(build(spec).get_params())


def test_probe_states_its_source(spec):
    assert spec.summary
    assert spec.source
