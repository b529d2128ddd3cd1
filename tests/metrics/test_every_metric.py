"""Every metric against scikit-learn's, whatever the case: absent classes, ties, one sample."""

import warnings
from functools import partial

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from featbank.metrics.scoring.multilabel_scoring import score_multilabel
from featbank.metrics.scoring.resampling import Resampling
from featbank.metrics.scoring.scoring import score

K = 4
NONE = Resampling(resamples=0)
F2 = partial(reference.fbeta_score, beta=2)
DECISIONS = {
    "f1": reference.f1_score,
    "f2": F2,
    "precision": reference.precision_score,
    "recall": reference.recall_score,
}
samples = st.shared(st.integers(1, 9), key="samples")
tenths = arrays.arrays(np.int8, st.tuples(samples, st.just(K)), elements=st.integers(0, 10))
flags = arrays.arrays(np.int8, st.tuples(samples, st.just(K)), elements=st.integers(0, 1))
classes = arrays.arrays(np.int64, samples, elements=st.integers(0, K - 1))


def check(rows, expected):
    found = {
        (row.metric, row.average): row.value
        for row in rows
        if row.class_index is None and row.threshold in (None, "0.5")
    }
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, abs=1e-12, nan_ok=True), key


@given(truth=flags, scores=tenths)
@settings(max_examples=40)
def test_metrics_of_labels_equal_the_reference(truth, scores):
    scores = scores / 10
    rows = score_multilabel(
        truth, scores, thresholds={"0.5": np.full(K, 0.5)}, resampling=NONE, absent="zero"
    )
    said = (scores >= 0.5).astype(np.int8)
    is_empty = not truth.any()
    expected = {("hamming_loss", None): reference.hamming_loss(truth, said)}
    with warnings.catch_warnings(action="ignore"):
        for metric, function in DECISIONS.items():
            for average in ("macro", "weighted", "samples"):
                if not is_empty or average == "samples":
                    value = function(truth, said, average=average, zero_division=0)
                    expected[metric, average] = value
        if not is_empty:
            for average in ("macro", "micro", "weighted"):
                value = reference.average_precision_score(truth, scores, average=average)
                expected["map", average] = value
    check(rows, expected)


@given(truth=flags, scores=tenths)
@settings(max_examples=25)
def test_micro_averages_equal_the_reference_or_are_undefined(truth, scores):
    thresholds = {"0.5": np.full(K, 0.5)}
    rows = score_multilabel(truth, scores / 10, thresholds=thresholds, resampling=NONE)
    said = (scores >= 5).astype(np.int8)
    positives = {"f1": truth | said, "f2": truth | said, "recall": truth}
    check(
        rows,
        {
            (metric, "micro"): DECISIONS[metric](truth, said, average="micro", zero_division=0)
            if kept.any()
            else np.nan
            for metric, kept in positives.items()
        },
    )


@given(truth=classes, scores=tenths)
@settings(max_examples=40)
def test_metrics_of_one_class_equal_the_reference(truth, scores):
    rows = score(truth, scores / 10, resampling=NONE, absent="zero")
    said = scores.argmax(axis=1)
    expected = {("accuracy", None): reference.accuracy_score(truth, said)}
    for metric, function in DECISIONS.items():
        for average, labels in (("macro", range(K)), ("weighted", range(K))):
            value = function(truth, said, labels=labels, average=average, zero_division=0)
            expected[metric, average] = value
    recalls = [(said[truth == c] == c).mean() for c in np.unique(truth)]
    expected["balanced_accuracy", "macro"] = np.mean(recalls)
    check(rows, expected)
