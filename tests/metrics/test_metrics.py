"""Metrics against scikit-learn's, on multiclass cases with empty classes."""

from functools import partial

import numpy as np
import pytest
import sklearn.metrics as reference

from featbank.errors import ProbeError
from featbank.metrics import METRICS
from featbank.metrics.scoring.confusion import confusion_matrix
from featbank.metrics.scoring.resampling import Resampling
from featbank.metrics.scoring.scoring import score

K = 6


@pytest.fixture(params=range(5))
def labels(request):
    """Truth and prediction over six classes; 1 is never true, 2 never predicted, 5 neither."""
    rng = np.random.default_rng(request.param)
    truth, predicted = rng.choice([0, 2, 3, 4], size=40), rng.choice([0, 1, 3, 4], size=40)
    return np.where(truth == 4, rng.choice([0, 2, 3], size=40), truth), predicted


def scored(labels, **options):
    truth, predicted = labels
    return score(truth, np.eye(K)[predicted], resampling=Resampling(resamples=0), **options)


def rows_of(labels, metric, **options):
    return [row for row in scored(labels, **options) if row.metric == metric]


def macro(labels, metric, average="macro", **options):
    rows = rows_of(labels, metric, **options)
    return next(row.value for row in rows if row.average == average)


def per_class(labels, metric):
    return [row.value for row in rows_of(labels, metric) if row.class_index is not None]


def test_confusion_matrix_equals_the_reference(labels):
    expected = reference.confusion_matrix(*labels, labels=range(K))
    np.testing.assert_array_equal(confusion_matrix(*labels, n_classes=K), expected)


def test_weighted_confusion_matrix_equals_the_reference(labels):
    weights = np.random.default_rng(1).uniform(size=40)
    expected = reference.confusion_matrix(*labels, labels=range(K), sample_weight=weights)
    ours = confusion_matrix(*labels, n_classes=K, weights=weights)
    np.testing.assert_allclose(ours, expected)


def test_accuracy_equals_the_reference(labels):
    assert rows_of(labels, "accuracy")[0].value == reference.accuracy_score(*labels)


def test_balanced_accuracy_equals_the_reference(labels):
    expected = reference.recall_score(
        *labels, labels=np.unique(labels[0]), average="macro", zero_division=0
    )
    np.testing.assert_allclose(macro(labels, "balanced_accuracy"), expected)


F2 = partial(reference.fbeta_score, beta=2)
REFERENCES = {
    "f2": F2,
    "f1": reference.f1_score,
    "precision": reference.precision_score,
    "recall": reference.recall_score,
}


@pytest.mark.parametrize("metric", REFERENCES)
def test_weighted_equals_the_reference(labels, metric):
    expected = REFERENCES[metric](*labels, average="weighted", zero_division=0)
    np.testing.assert_allclose(macro(labels, metric, "weighted"), expected)


@pytest.mark.parametrize("metric", REFERENCES)
def test_macro_with_absent_classes_as_zero_equals_the_reference(labels, metric):
    expected = REFERENCES[metric](*labels, labels=range(K), average="macro", zero_division=0)
    np.testing.assert_allclose(macro(labels, metric, absent="zero"), expected)


def test_kappa_equals_the_reference(labels):
    expected = reference.cohen_kappa_score(*labels)
    np.testing.assert_allclose(rows_of(labels, "kappa")[0].value, expected)


def test_kappa_of_one_class_alone_is_undefined():
    assert np.isnan(rows_of((np.zeros(3, int), np.zeros(3, int)), "kappa")[0].value)


@pytest.mark.parametrize("metric", ["precision", "recall", "f1"])
def test_macro_equals_the_reference_over_present_classes(labels, metric):
    function = getattr(reference, f"{metric}_score")
    expected = function(*labels, labels=np.unique(labels[0]), average="macro", zero_division=0)
    np.testing.assert_allclose(macro(labels, metric), expected)


@pytest.mark.parametrize("metric", ["precision", "recall", "f1"])
def test_values_of_present_classes_equal_the_reference(labels, metric):
    function, present = getattr(reference, f"{metric}_score"), np.unique(labels[0])
    expected = function(*labels, labels=present, average=None, zero_division=0)
    np.testing.assert_allclose(np.array(per_class(labels, metric))[present], expected)


@pytest.mark.parametrize("metric", ["precision", "recall", "f1", "specificity"])
def test_macro_is_the_mean_over_present_classes(labels, metric):
    present = np.unique(labels[0])
    expected = np.array(per_class(labels, metric))[present].mean()
    np.testing.assert_allclose(macro(labels, metric), expected)


def test_specificity_is_the_recall_of_the_other_classes(labels):
    truth, predicted = labels
    expected = [
        reference.recall_score(truth != i, predicted != i, zero_division=np.nan) for i in range(K)
    ]
    np.testing.assert_allclose(per_class(labels, "specificity"), expected)


def test_counts_equal_the_reference(labels):
    ours = [per_class(labels, name) for name in ("tn", "fp", "fn", "tp")]
    expected = reference.multilabel_confusion_matrix(*labels, labels=range(K)).reshape(K, 4)
    np.testing.assert_array_equal(np.transpose(ours), expected)


@pytest.mark.parametrize("metric", ["precision", "recall", "f1"])
def test_a_class_neither_true_nor_predicted_has_no_number(labels, metric):
    assert np.isnan(per_class(labels, metric)[5])


def test_n_of_a_class_is_its_samples_in_truth(labels):
    counts = [row.n for row in rows_of(labels, "precision") if row.class_index is not None]
    assert counts == np.bincount(labels[0], minlength=K).tolist()


def test_n_of_an_aggregate_is_every_sample(labels):
    assert rows_of(labels, "accuracy")[0].n == 40


def test_every_single_label_metric_of_the_catalog_is_scored(labels):
    rows = scored(labels)
    assert {row.metric for row in rows} == {n for n, spec in METRICS.items() if spec.single_label}


def test_no_row_stands_twice(labels):
    rows = scored(labels)
    assert len({(row.metric, row.average, row.class_index) for row in rows}) == len(rows)


@pytest.mark.parametrize("bad", [-1, K])
def test_labels_out_of_range_are_refused(labels, bad):
    truth, predicted = labels
    with pytest.raises(ProbeError, match="predicted: its classes range"):
        confusion_matrix(truth, np.where(predicted == 1, bad, predicted), n_classes=K)


def test_labels_of_another_length_are_refused(labels):
    with pytest.raises(ProbeError, match=r"\(39,\)"):
        confusion_matrix(labels[0], labels[1][:39], n_classes=K)
