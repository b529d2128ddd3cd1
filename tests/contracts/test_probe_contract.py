"""Every probe of the catalog keeps scikit-learn's contract and ours."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from featbank.probes import PROBES

# scikit-learn's checks fit sets of a few samples; probes that need more name smaller parameters.
TINY_SETS = {"knn": {"k": 2}}
# The same code at a size that a few hundred fits can afford.
QUICK = {
    "linear": {"min_steps": 300},
    "mlp": {"min_steps": 150, "hidden": 64},
    "forest": {"trees": 20},
}
# A vote may be unanimous, and a label that is constant in training is certain.
CERTAIN = {
    "check_classifiers_multilabel_output_format_predict_proba": (
        "of a plain array it wants probabilities strictly between 0 and 1; scikit-learn's own "
        "forests and neighbours give lists of arrays, which it lets be 0 and 1"
    )
}


SEVERAL = [name for name, spec in PROBES.items() if spec.takes_several_labels]


@pytest.fixture(params=list(PROBES))
def spec(request):
    return PROBES[request.param]


@pytest.fixture(params=SEVERAL)
def taking_several(request):
    return PROBES[request.param]


def make_samples(classes):
    rng = np.random.default_rng(classes)
    y = np.arange(40 * classes) % classes
    return rng.normal(size=(len(y), 6)) + 3 * np.eye(classes, 6)[y], y


def build(spec, seed=0, **params):
    return spec.build({**spec.defaults, **QUICK.get(spec.name, {}), **params}, seed)


def test_listing_the_catalog_imports_nothing_heavy():
    code = (
        "import sys; from featbank.probes import PROBES; list(PROBES);"
        "assert not {'sklearn', 'scipy', 'torch', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_probe_passes_scikit_learns_checks(spec):
    params = TINY_SETS.get(spec.name, {})
    with warnings.catch_warnings():
        # Some of its own classifiers warn there, as of weights that leave a class empty.
        warnings.simplefilter("ignore")
        check_estimator(build(spec, **params), on_skip=None, expected_failed_checks=CERTAIN)


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


def test_one_sample_a_class_fits_without_a_warning(spec):
    X, y = np.eye(30, 40), np.arange(30)
    params = {"k": 1} if spec.name == "knn" else {}
    assert build(spec, **params).fit(X, y).predict_proba(X).shape == (30, 30)


def test_every_grid_member_fits(spec):
    X, y = make_samples(2)
    for member in spec.grid:
        build(spec, **member).fit(X, y)


@pytest.mark.parametrize("several", [False, True])
def test_a_grid_fitted_at_once_predicts_as_fitted_alone(spec, several):
    if spec.fit_grid is None:
        pytest.skip(f"{spec.name} has no grid to fit at once")
    if several and not spec.takes_several_labels:
        pytest.skip(f"{spec.name} takes one class a sample")
    X, y = make_labels() if several else make_samples(3)
    params = {**spec.defaults, **QUICK.get(spec.name, {})}
    wanted = [({**params, **member}, seed) for member in spec.grid[:3] for seed in (0, 1)]
    fits = spec.fit_grid(wanted, X[::2], y[::2])
    for (member, seed), classifier in zip(wanted, fits, strict=True):
        alone = spec.build(member, seed).fit(X[::2], y[::2])
        expected = alone.predict_proba(X[1::2])
        np.testing.assert_allclose(classifier.predict_proba(X[1::2]), expected, atol=1e-4)


def test_the_seed_matters_just_where_the_probe_says_so(spec):
    X, y = make_samples(5)
    fits = (build(spec, seed=seed).fit(X[::2], y[::2]) for seed in (0, 1))
    first, second = (classifier.predict_proba(X[1::2]) for classifier in fits)
    assert spec.is_random != np.array_equal(first, second)


def make_labels(n=120):
    """Features (n, 6) and labels (n, 5): three to be learnt, one never and one always borne."""
    rng = np.random.default_rng(5)
    y = np.column_stack([rng.integers(2, size=(n, 3)), np.zeros(n, int), np.ones(n, int)])
    return rng.normal(size=(n, 6)) + 4 * y @ np.eye(5, 6), y


@pytest.fixture(scope="module", params=SEVERAL)
def labelled(request):
    """Test labels (60, 5) and probabilities of a probe fitted on 60 other samples."""
    X, y = make_labels()
    spec = PROBES[request.param]
    return y[1::2], build(spec).fit(X[::2], y[::2]).predict_proba(X[1::2])


def test_several_labels_have_one_column_each(labelled):
    assert labelled[1].shape == (60, 5)


def test_several_labels_have_independent_probabilities(labelled):
    _, probabilities = labelled
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert probabilities[:, :3].sum(axis=1).std() > 0.1


def test_several_labels_are_learnt(labelled):
    y, probabilities = labelled
    assert ((probabilities >= 0.5) == y)[:, :3].mean() > 0.85


@pytest.mark.parametrize(("label", "certain"), [(3, 0), (4, 1)])
def test_a_label_that_is_constant_in_training_is_certain(labelled, label, certain):
    np.testing.assert_allclose(labelled[1][:, label], certain, atol=1e-15)


def test_classes_of_several_labels_are_their_columns(taking_several):
    assert build(taking_several).fit(*make_labels()).classes_.tolist() == [0, 1, 2, 3, 4]


def test_labels_that_are_all_constant_fit(taking_several):
    X, y = make_labels()
    found = build(taking_several).fit(X, y[:, 3:]).predict_proba(X)
    np.testing.assert_allclose(found, np.tile([0.0, 1.0], (len(X), 1)), atol=1e-15)


def test_equal_seeds_give_equal_probabilities_of_labels(taking_several):
    X, y = make_labels()
    first, second = (build(taking_several, seed=7).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_labels_other_than_0_and_1_are_refused(taking_several):
    X, y = make_labels()
    # In the words of whoever wrote it.
    with pytest.raises(ValueError):  # noqa: PT011
        build(taking_several).fit(X, y + 1)


def test_defaults_are_parameters_of_the_classifier(spec):
    assert set(spec.defaults) <= set(build(spec).get_params())


def test_probe_states_its_source(spec):
    assert spec.summary
    assert spec.source
