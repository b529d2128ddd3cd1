"""A fitted classifier kept as arrays and plain records predicts the same, bit by bit."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from featbank.errors import CatalogError, ProbeError
from featbank.probes import PROBES
from featbank.probes.fitting.saving import as_saved, from_saved

QUICK = {
    "linear": {"min_steps": 20, "epochs": 1},
    "mlp": {"min_steps": 20, "epochs": 1, "hidden": 16},
    "forest": {"trees": 5},
}


def make_samples(several):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(90, 7)).astype(np.float32)
    if several:
        y = np.column_stack([X[:, :3] > 0.2, np.zeros(90, bool), np.ones(90, bool)])
        return X, y.astype(np.int8)
    return X, X[:, :4].argmax(axis=1) + 2


def fit(name, several=False, **params):
    spec = PROBES[name]
    X, y = make_samples(several)
    return spec.build({**spec.defaults, **QUICK.get(name, {}), **params}, 5).fit(X, y)


def through_json(name, classifier):
    arrays, record = as_saved(classifier)
    text = json.dumps(record, allow_nan=False)
    return from_saved(json.loads(text), arrays, probe=name, subject="here")


@pytest.fixture
def saved():
    return as_saved(fit("logistic"))


def read(record, arrays, probe="logistic"):
    return from_saved(record, arrays, probe=probe, subject="here")


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("name", list(PROBES))
def test_a_kept_probe_predicts_the_same_bits(name, several):
    if several and not PROBES[name].takes_several_labels:
        pytest.skip(f"{name} takes one class a sample")
    classifier = fit(name, several)
    again = through_json(name, classifier)
    X = np.random.default_rng(9).normal(size=(501, 7)).astype(np.float32)
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))
    np.testing.assert_array_equal(again.predict(X), classifier.predict(X))


def test_a_kept_probe_has_the_same_parameters():
    classifier = fit("mlp")
    assert through_json("mlp", classifier).get_params() == classifier.get_params()


def test_columns_come_back_as_tuples():
    classifier = fit("knn")
    classifier.k = ((0, 3), (4, 7))
    assert through_json("knn", classifier).k == ((0, 3), (4, 7))


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_lie_in_memory_as_before(order):
    classifier = fit("logistic")
    classifier.coef_ = np.array(np.arange(12.0).reshape(3, 4), order=order)
    again = through_json("logistic", classifier).coef_
    assert again.flags[f"{order}_CONTIGUOUS"]
    np.testing.assert_array_equal(again, classifier.coef_)


@pytest.mark.parametrize(
    "value",
    [
        7,
        True,
        None,
        "text",
        1.5,
        float("inf"),
        np.float32(0.1),
        np.bool_(False),
        np.array(3.25),
        np.zeros((0, 4), np.int8),
        np.array(["a", "b"], dtype=object),
        {"weights": np.arange(3, dtype=np.uint16), "deep": {"flag": True}},
        [np.arange(2), np.ones((2, 1), bool)],
        (np.float64(1), "x"),
    ],
)
def test_plain_state_comes_back(value):
    classifier = fit("logistic")
    classifier.extra_ = value
    again = through_json("logistic", classifier).extra_
    np.testing.assert_equal(again, value)


def test_not_a_number_comes_back():
    classifier = fit("logistic")
    classifier.extra_ = float("nan")
    assert np.isnan(through_json("logistic", classifier).extra_)


@pytest.mark.parametrize("value", [LogisticRegression(), {1: 2}, np.array([None]), {1, 2}])
def test_state_that_would_need_pickle_is_refused(value):
    classifier = fit("logistic")
    classifier.model_ = value
    with pytest.raises(CatalogError, match="LogisticClassifier.model_: its fitted state is a"):
        as_saved(classifier)


def test_a_missing_array_is_told(saved):
    arrays, record = saved
    del arrays["coef_"]
    with pytest.raises(ProbeError, match="here: does not hold .*'coef_' is missing"):
        read(record, arrays)


def test_an_array_of_another_shape_is_told(saved):
    arrays, record = saved
    arrays["intercept_"] = arrays["intercept_"][:-1]
    with pytest.raises(ProbeError, match=r"'intercept_' is float64 \(3,\) in place of .*\(4,\)"):
        read(record, arrays)


def test_an_array_of_another_type_is_told(saved):
    arrays, record = saved
    arrays["coef_"] = arrays["coef_"].astype(np.float32)
    with pytest.raises(ProbeError, match="'coef_' is float32"):
        read(record, arrays)


def test_an_array_too_many_is_told(saved):
    arrays, record = saved
    with pytest.raises(ProbeError, match="'more' is in no record"):
        read(record, arrays | {"more": np.zeros(1)})


def test_a_parameter_of_another_version_is_told(saved):
    arrays, record = saved
    record["params"]["penalty"] = "l1"
    with pytest.raises(ProbeError, match="Invalid parameter 'penalty'"):
        read(record, arrays)


def test_another_probe_is_told(saved):
    arrays, record = saved
    with pytest.raises(ProbeError, match="does not hold a knn probe .*LogisticClassifier"):
        read(record, arrays, probe="knn")


@pytest.mark.parametrize("name", ["fit", "_secret_", "__class__"])
def test_only_fitted_attributes_are_set(saved, name):
    arrays, record = saved
    record["fitted"][name] = {"kind": "value", "value": 1}
    with pytest.raises(ProbeError, match="no fitted attribute"):
        read(record, arrays)
