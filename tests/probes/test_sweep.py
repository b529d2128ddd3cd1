"""The sweep, with a classifier that says what it was built from."""

from dataclasses import replace

import numpy as np
import pytest

from featbank.errors import ProbeError
from featbank.probes import ProbeSpec
from featbank.probes.fitting.sweep import (
    Labelled,
    align_scores,
    candidates,
    choose,
    fitted,
    predict,
)
from featbank.probes.protocols import ProtocolSpec


class Constant:
    """Gives every class it saw the same probability: its parameter ``level``."""

    def __init__(self, level):
        self.level = level

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), self.level)


def make_spec(*levels):
    return ProbeSpec(
        name="constant",
        summary="",
        build=lambda params, seed: Constant(params["level"]),
        defaults={"level": 0.0, "other": 1},
        grid=tuple({"level": level} for level in levels) or ({},),
        source="",
    )


def make_data(labels):
    return Labelled(features=np.zeros((len(labels), 2)), labels=np.array(labels), n_classes=4)


def sweep(spec, *, params=None, scorer=lambda truth, scores: scores.max(), **options):
    fit_data, score_data = make_data([0, 2]), make_data([0, 1, 2])
    options = {"seed": 0, "scorer": scorer} | options
    tried = tried_of(spec, params or {})
    return choose(spec, tried, fit_data=fit_data, score_data=score_data, **options)


def tried_of(spec, params):
    protocol = ProtocolSpec(name="p", summary="", probe=spec.name, grid=spec.grid, source="")
    return candidates(protocol, spec.defaults, params)


def test_the_best_score_wins():
    assert sweep(make_spec(0.1, 0.3, 0.2)).params == {"level": 0.3, "other": 1}


def test_every_score_is_kept_in_order():
    assert sweep(make_spec(0.1, 0.3, 0.2)).scores == (0.1, 0.3, 0.2)


def test_the_earliest_of_equals_wins():
    choice = sweep(make_spec(0.3, 0.1, 0.2), scorer=lambda truth, scores: 1.0)
    assert choice.params["level"] == 0.3


def test_an_undefined_score_never_wins():
    scorer = lambda truth, scores: np.nan if scores.max() > 0.2 else scores.max()  # noqa: E731
    assert sweep(make_spec(0.3, 0.1, 0.2), scorer=scorer).params["level"] == 0.2


def test_a_fit_that_ran_off_never_wins():
    choice = sweep(make_spec(np.nan, 0.2, np.inf))
    assert choice.params["level"] == 0.2
    assert np.isnan(choice.scores[2])


def test_validation_probabilities_are_those_of_the_best():
    np.testing.assert_array_equal(
        sweep(make_spec(0.1, 0.3, 0.2)).validation, [[0.3, 0, 0.3, 0]] * 3
    )


class Shares:
    """Gives every sample the shares of the labels that it was fitted to."""

    def fit(self, X, y):
        self.classes_ = np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
        self.shares = y.mean(axis=0) if y.ndim == 2 else [1 - y.mean(), y.mean()]
        return self

    def predict_proba(self, X):
        return np.tile(self.shares, (len(X), 1))


@pytest.mark.parametrize(
    ("labels", "shares"),
    [
        ([[1, 0], [1, 0], [0, 1], [1, 0]], [0.75, 0.25]),
        ([[1], [0], [0], [0]], [0.25]),
        ([[0], [0]], [0]),
        ([[1], [1]], [1]),
    ],
)
def test_labels_have_one_column_each_however_many(labels, shares):
    labels = np.array(labels)
    data = Labelled(features=labels, labels=labels, n_classes=labels.shape[1])
    spec = ProbeSpec(name="shares", summary="", build=lambda *_: Shares(), defaults={}, source="")
    (classifier,) = fitted(spec, [({}, 0)], data)
    assert predict(classifier, np.zeros((1, 2)), data).tolist() == [shares]


def test_a_grid_is_fitted_in_one_call_where_the_probe_can():
    calls = []

    def fit_grid(wanted, X, y):
        calls.append([params["level"] for params, _ in wanted])
        return (Constant(params["level"]).fit(X, y) for params, _ in wanted)

    spec = replace(make_spec(0.1, 0.3, 0.2), fit_grid=fit_grid)
    assert (sweep(spec).params["level"], calls) == (0.3, [[0.1, 0.3, 0.2]])


def test_only_undefined_scores_are_refused():
    with pytest.raises(ProbeError, match="'constant': its validation score is undefined"):
        sweep(make_spec(0.1), scorer=lambda truth, scores: np.nan)


def test_fixed_parameters_win_over_the_grid():
    assert tried_of(make_spec(0.1, 0.2), {"level": 0.9}) == ({"level": 0.9, "other": 1},)


def test_fixed_parameters_join_a_sweep():
    assert sweep(make_spec(0.1, 0.2), params={"other": 7}).params == {"level": 0.2, "other": 7}


def test_the_scorer_sees_all_classes_and_the_validation_truth():
    seen = []
    sweep(make_spec(0.1), scorer=lambda *both: seen.append(both) or 1.0)
    truth, scores = seen[0]
    assert truth.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(scores, [[0.1, 0, 0.1, 0]] * 3)


def test_progress_counts_fits():
    calls = []
    sweep(make_spec(0.1, 0.2), progress=lambda *both: calls.append(both))
    assert calls == [(1, 2), (2, 2)]


def test_aligned_scores_stand_in_the_columns_of_their_classes():
    aligned = align_scores(np.array([[0.3, 0.7]]), np.array([3, 1]), 5)
    assert aligned.tolist() == [[0, 0.7, 0, 0.3, 0]]


def test_a_view_is_fitted_as_its_columns():
    seen = []
    spec = replace(make_spec(), build=lambda params, seed: seen.append(params) or Constant(0.5))
    data = replace(make_data([0, 1]), views={"last": ((3, 6),)})
    next(fitted(spec, [({"view": "last", "level": 1}, 0)], data))
    assert seen == [{"columns": ((3, 6),), "level": 1}]


def test_candidates_that_did_not_converge_are_counted():
    class Stopped(Constant):
        converged_ = False

    spec = replace(make_spec(0.1, 0.2), build=lambda params, seed: Stopped(params["level"]))
    assert sweep(spec).unconverged == 2


class Given(Shares):
    """Gives what it was built with."""

    def __init__(self, found):
        self.found = found

    def predict_proba(self, X):
        return self.found


@pytest.mark.parametrize("labels", [[0, 1], [[0, 1], [1, 0]]])
@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([[0.5, 0.5]] * 3, r"a list of shape \(3, 2\)"),
        (None, r"a NoneType of shape \(\)"),
        (np.full((2, 2), 0.5), r"of shape \(2, 2\); expected an array of shape \(3, 2\)"),
        (np.full((3, 4), 0.25), r"of shape \(3, 4\)"),
    ],
)
def test_scores_of_other_samples_or_classes_are_refused_in_one_line(labels, found, words):
    data = replace(make_data(labels), n_classes=2)
    classifier = Given(found).fit(data.features, data.labels)
    with pytest.raises(ProbeError, match=words):
        predict(classifier, np.zeros((3, 2)), data)


@pytest.mark.parametrize("labels", [[0, 1], [[0, 1], [1, 0]]])
def test_votes_need_not_sum_to_one(labels):
    data = replace(make_data(labels), n_classes=2)
    classifier = Given(np.full((3, 2), 1.9)).fit(data.features, data.labels)
    assert predict(classifier, np.zeros((3, 2)), data).tolist() == [[1.9, 1.9]] * 3
