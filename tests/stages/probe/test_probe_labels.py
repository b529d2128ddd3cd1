"""Probing a label set whose samples bear several labels."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from labelled_store import CLASSES, N, make_labelled_store
from sklearn.metrics import average_precision_score, fbeta_score

import featbank
from featbank.errors import ProbeError, UsageError
from featbank.probes import PROBES
from featbank.probes.fitting.knn_classifier import KnnClassifier
from featbank.stages.probe.run import ProbeOptions, probe_store
from featbank.stages.probe.unseen_scores import fold_numbers
from featbank.store.reader import Store

PRESENT = range(4)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_labelled_store(tmp_path_factory.mktemp("s") / "made.zarr")


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return tmp_path_factory.mktemp("b") / "bank"


@pytest.fixture(scope="module")
def report(store, bank):
    return run(store, bank)


def run(store, bank, **options):
    options = {"clf": "knn", "resamples": 50} | options
    return probe_store(ProbeOptions(store=store, bank=bank, **options))


def find(report, metric, average=None, threshold=None, class_name=None, split="test"):
    rows = [
        row
        for row in report.results
        if (row.metric, row.average, row.threshold, row.class_name, row.split)
        == (metric, average, threshold, class_name, split)
    ]
    assert len(rows) == 1
    return rows[0]


@pytest.fixture(scope="module")
def predicted(report):
    """Test truth (n, K) and scores (n, K) as kept in the bank."""
    frame = pd.read_parquet(report.predictions_path)
    return np.stack(frame["truth"]), np.stack(frame["scores"])


def test_the_headline_is_macro_map_and_alone_is_selected(report):
    assert [row for row in report.results if row.selected] == report.results[:1]
    assert (report.results[0].metric, report.results[0].average) == ("map", "macro")


def test_labels_are_learnt(report):
    assert report.results[0].value > 0.7


def test_the_headline_is_that_of_the_predictions(report, predicted):
    truth, scores = predicted
    expected = average_precision_score(truth[:, :4], scores[:, :4])
    assert report.results[0].value == pytest.approx(expected, abs=1e-12)


def test_unlabelled_samples_are_left_out(report, store):
    splits = Store(store).split("official")
    assert splits[9] == "val"
    assert find(report, "map", "macro", split="val").n == (splits == "val").sum() - 1


def test_predictions_are_of_a_probe_fitted_on_train_and_validation(store, predicted):
    samples = Store(store)
    (X, y), (X_val, y_val), (X_test, y_test) = (samples.xy(n) for n in ("train", "val", "test"))
    both = KnnClassifier(k=20).fit(np.concatenate([X, X_val]), np.concatenate([y, y_val]))
    np.testing.assert_array_equal(predicted[0], y_test)
    np.testing.assert_allclose(predicted[1], both.predict_proba(X_test), atol=1e-6)


def test_validation_is_scored_by_a_probe_fitted_on_train(report, store):
    (X, y), (X_val, y_val) = (Store(store).xy(name) for name in ("train", "val"))
    scores = KnnClassifier(k=20).fit(X, y).predict_proba(X_val).astype(np.float32)
    expected = average_precision_score(y_val[:, :4], scores[:, :4])
    row = find(report, "map", "macro", split="val")
    assert (row.value, row.n_train) == (pytest.approx(expected), len(X))


def threshold_of(report, class_name):
    return find(report, "threshold", None, "tuned-f2", class_name, "train+val")


def test_a_threshold_is_tuned_on_held_out_folds_of_train_and_validation(report, store):
    opened = Store(store)
    parts = opened.xy("train"), opened.xy("val")
    X, y = (np.concatenate(both) for both in zip(*parts, strict=True))
    split, known = opened.split(), opened.valid & (opened.labels() >= 0).all(axis=1)
    rows = np.concatenate([np.flatnonzero((split == name) & known) for name in ("train", "val")])
    folds = fold_numbers(y, opened.group[rows], seed=0)
    scores = np.zeros(len(y), dtype=np.float32)
    for fold in set(folds):
        probe = KnnClassifier(k=20).fit(X[folds != fold], y[folds != fold])
        scores[folds == fold] = probe.predict_proba(X[folds == fold])[:, 0]
    best = max(fbeta_score(y[:, 0], scores >= t, beta=2) for t in np.unique(scores))
    chosen = threshold_of(report, CLASSES[0]).value
    assert fbeta_score(y[:, 0], scores >= chosen, beta=2) == pytest.approx(best)


def test_a_protocol_that_fits_the_scored_probe_on_train_alone_tunes_on_validation(store, bank):
    found = run(store, bank, clf=None, protocol="torchgeo-bench-knn5")
    rows = [row for row in found.results if row.metric == "threshold"]
    assert {row.split for row in rows} == {"val"}


def test_rare_labels_share_the_pooled_threshold(report):
    assert threshold_of(report, "rice fields").value == threshold_of(report, "snow").value
    assert "pooled threshold: 2 of 5 labels" in report.results[0].note


def test_n_of_a_threshold_is_its_positives_in_train_and_validation(report, store):
    positives = sum(Store(store).xy(name)[1].sum(axis=0) for name in ("train", "val"))
    assert [threshold_of(report, name).n for name in CLASSES] == positives.tolist()


@pytest.mark.parametrize("threshold", ["0.5", "tuned-f2"])
def test_decisions_are_scored_at_both_thresholds(report, predicted, threshold):
    truth, scores = predicted
    limits = [0.5 if threshold == "0.5" else threshold_of(report, n).value for n in CLASSES]
    expected = fbeta_score(truth[:, :4], (scores >= limits)[:, :4], beta=2, average="macro")
    assert find(report, "f2", "macro", threshold).value == pytest.approx(expected)


def test_rankings_have_no_threshold(report):
    assert {row.threshold for row in report.results if row.metric == "map"} == {None}


def test_a_label_without_test_samples_is_counted(report):
    assert "left out of macro averages: 1 of 5 classes" in report.results[0].note
    assert np.isnan(find(report, "map", class_name="snow").value)


def test_intervals_resample_groups(report):
    assert report.results[0].resampled == "group"
    assert report.results[0].low < report.results[0].value < report.results[0].high


def test_predictions_name_their_classes_and_thresholds(report):
    metadata = pq.read_schema(report.predictions_path).metadata
    thresholds = json.loads(metadata[b"thresholds"])
    assert json.loads(metadata[b"classes"]) == list(CLASSES)
    assert thresholds["0.5"] == [0.5] * 5
    assert thresholds["tuned-f2"] == [threshold_of(report, name).value for name in CLASSES]


def test_there_is_no_confusion_matrix(report):
    assert report.confusion is None


def test_results_stand_in_the_bank(report, bank):
    frame = featbank.read_results(bank)
    assert len(frame[frame["result"] == report.results[0].result]) == len(report.results)


@pytest.mark.parametrize("clf", ["logistic", "linear", "forest"])
def test_other_probes_take_labels_too(store, bank, clf):
    params = {"linear": {"min_steps": 200, "lr": 0.1}, "forest": {"trees": 20}}.get(clf, {})
    assert run(store, bank, clf=clf, params=params).results[0].value > 0.7


def test_a_set_of_one_label_is_probed(store, bank):
    found = run(store, bank, labels="any")
    assert found.results[0].value > 0.8
    assert np.stack(pd.read_parquet(found.predictions_path)["scores"]).shape[1] == 1


def test_one_class_a_sample_of_the_same_store_keeps_its_headline(store, bank):
    assert run(store, bank, labels="dominant").results[0].metric == "accuracy"


def test_a_scheme_without_samples_names_where_lists_come_from(tmp_path, bank):
    sentence = "Fetch train.csv from https://example.org, then repeat 'featbank embed'."
    path = make_labelled_store(tmp_path / "s.zarr", {"splits_from": sentence})
    with pytest.raises(ProbeError, match=f"no usable train sample.*{sentence}"):
        run(path, bank, split_scheme="bare")


def test_a_scheme_without_samples_names_the_others_that_have_some(store, bank):
    with pytest.raises(ProbeError, match=r"Choose official with --split-scheme"):
        run(store, bank, split_scheme="bare")


def test_a_validation_set_is_carved_from_train(tmp_path, bank):
    two = (np.arange(N) % 2 * 2).astype(np.int8)
    path = make_labelled_store(tmp_path / "s.zarr", splits={"official": two, "bare": two})
    assert "validation is 20% of train" in run(path, bank).results[0].note


def test_a_confusion_matrix_of_several_labels_is_refused(store, bank):
    with pytest.raises(UsageError, match="--confusion: a sample may bear several labels"):
        run(store, bank, confusion=True)


def test_a_probe_of_one_class_a_sample_is_refused_before_anything_is_fitted(
    store, tmp_path, monkeypatch
):
    single = replace(PROBES["knn"], takes_several_labels=False)
    monkeypatch.setitem(PROBES._read(), "knn", single)
    with pytest.raises(UsageError) as caught:
        run(store, tmp_path / "bank")
    assert caught.value.subject == "probe 'knn'"
    assert "--labels" in str(caught.value)
    assert not (tmp_path / "bank").exists()
