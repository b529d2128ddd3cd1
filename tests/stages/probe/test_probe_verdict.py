"""How a probe is judged: headline, calibration, absent classes and subgroups."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from featbank.metrics.calibration import ece
from featbank.metrics.headline_score import as_kept, headline_score
from featbank.metrics.scoring.calibration import bins_of, fit_temperature
from featbank.metrics.scoring.multilabel_scoring import mean_average_precision
from featbank.stages.probe.unseen_scores import Unseen
from featbank.stages.probe.verdict import judge

N, K = 120, 4
ROWS = {"train": np.arange(40), "val": np.arange(40, 80), "test": np.arange(80, N)}
ROWS |= {"final": np.arange(80)}


def case(is_multilabel):
    """Data, test scores and those of unseen samples; the last class is never true."""
    rng = np.random.default_rng(0)
    truth = rng.integers(K - 1, size=N)
    labels = (rng.uniform(size=(N, K)) < [0.5, 0.3, 0.4, 0]).astype(np.int8)
    scores = rng.dirichlet(np.ones(K), size=N) * 0.6 + 0.4 * np.eye(K)[truth]
    data = SimpleNamespace(
        labels=labels if is_multilabel else truth,
        rows=ROWS,
        groups=np.arange(N) // 5,
        classes=tuple("abcd"),
        is_multilabel=is_multilabel,
    )
    unseen = Unseen(data.labels[ROWS["val"]], scores[ROWS["val"]], "val", 40)
    return data, scores[ROWS["test"]], unseen


def judged(is_multilabel, **options):
    return judge(*case(is_multilabel), **{"resamples": 20, "seed": 0} | options)


def value(verdict, metric, average=None):
    rows = [row for row in verdict.scored if (row.metric, row.average) == (metric, average)]
    return next(row.value for row in rows if row.class_index is None)


@pytest.mark.parametrize("is_multilabel", [False, True])
def test_the_headline_is_the_score_that_parameters_are_chosen_by(is_multilabel):
    verdict = judged(is_multilabel)
    data, scores, _ = case(is_multilabel)
    expected = headline_score(data.labels[ROWS["test"]], scores)
    assert value(verdict, *verdict.headline) == expected


@pytest.mark.parametrize("is_multilabel", [False, True])
def test_the_temperature_is_fitted_on_unseen_samples(is_multilabel):
    _, _, unseen = case(is_multilabel)
    expected = fit_temperature(unseen.truth, as_kept(unseen.scores))
    assert value(judged(is_multilabel), "temperature") == expected


def test_calibration_is_that_of_the_scores_as_they_are_kept():
    data, scores, _ = case(False)
    expected = ece(bins_of(data.labels[ROWS["test"]], as_kept(scores)))[0]
    assert value(judged(False), "ece") == expected


def test_absent_classes_are_left_out_counted_and_named():
    assert "left out of macro averages: 1 of 4 classes (d)" in judged(True).notes[0]


@pytest.mark.parametrize("is_multilabel", [False, True])
def test_classes_that_were_never_fitted_on_are_named(is_multilabel):
    data, scores, unseen = case(is_multilabel)
    lacking = ~data.labels[:, 1].astype(bool) if is_multilabel else data.labels != 1
    data.rows = ROWS | {"final": np.flatnonzero(lacking[:80])}
    notes = judge(data, scores, unseen, resamples=0, seed=0).notes
    assert notes[0] == "never fitted on, so missed in all of test: 1 of 4 classes (b)"


def test_of_many_absent_classes_the_first_few_are_named():
    truth, names = np.zeros(40, int), tuple(f"c{k}" for k in range(30))
    data, _, _ = case(False)
    data.labels, data.classes = np.zeros(N, int), names
    scores = np.tile(np.eye(30)[0], (40, 1))
    notes = judge(data, scores, Unseen(truth, scores, "val", 40), resamples=0, seed=0).notes
    assert notes[0].endswith("29 of 30 classes (c1, c2, c3, c4, c5, c6 and 23 more)")


def test_absent_classes_count_as_zero_on_request():
    verdict, plain = judged(True, absent="zero"), judged(True)
    assert "counted as 0 in macro averages: 1 of 4 classes" in verdict.notes[0]
    assert value(verdict, "map", "macro") == pytest.approx(value(plain, "map", "macro") * 3 / 4)


def test_validation_may_count_absent_labels_as_zero():
    data, scores, _ = case(True)
    truth = data.labels[ROWS["test"]]
    found = headline_score(truth, scores, absent="zero")
    assert found == mean_average_precision(truth, as_kept(scores), absent="zero")


@pytest.mark.parametrize("is_multilabel", [False, True])
def test_subgroups_follow(is_multilabel):
    country = np.array(["x", "y"])[np.arange(40) // 20]
    rows = [row for row in judged(is_multilabel, by={"country": country}).scored if row.by]
    assert {(row.by, row.by_value, row.n) for row in rows} == {
        ("country", "x", 20),
        ("country", "y", 20),
    }


def test_decisions_that_look_at_no_score_stand_beside_the_others():
    found = {row.threshold for row in judged(True).scored}
    assert found == {None, "0.5", "tuned-f2", "all-positive", "all-negative"}


def test_the_most_probable_labels_may_decide_too():
    data, scores, unseen = case(True)
    verdict = judge(data, scores, unseen, resamples=0, seed=0, top=2)
    said = np.argsort(np.argsort(-scores, axis=1), axis=1) < 2
    expected = recall_score(data.labels[ROWS["test"]], said, average="micro")
    (found,) = (
        row.value
        for row in verdict.scored
        if (row.metric, row.average, row.threshold) == ("recall", "micro", "top-2")
    )
    assert found == pytest.approx(expected)
    assert set(verdict.thresholds) == {"0.5", "tuned-f2"}


def test_the_most_probable_labels_of_a_subgroup_are_its_own():
    data, scores, unseen = case(True)
    country = np.array(["x", "y"])[np.arange(40) // 20]
    verdict = judge(data, scores, unseen, resamples=0, seed=0, top=1, by={"country": country})
    truth, said = data.labels[ROWS["test"]][20:], np.eye(K)[scores[20:].argmax(axis=1)]
    (found,) = (
        row.value
        for row in verdict.scored
        if (row.metric, row.average, row.threshold, row.by_value) == ("f1", "micro", "top-1", "y")
    )
    assert found == pytest.approx(f1_score(truth, said, average="micro"))
