"""Multilabel metrics against scikit-learn's, with absent labels and equal scores."""

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given
from hypothesis import strategies as st

from featbank.errors import ProbeError
from featbank.metrics import METRICS
from featbank.metrics.scoring.multilabel_scoring import mean_average_precision, score_multilabel
from featbank.metrics.scoring.resampling import Resampling

K = 5
TIGHT = {"rtol": 0, "atol": 1e-12}
F2 = {"f2": lambda *both, **options: reference.fbeta_score(*both, beta=2, **options)}
REFERENCES = F2 | {
    "f1": reference.f1_score,
    "precision": reference.precision_score,
    "recall": reference.recall_score,
}


@pytest.fixture(params=range(4))
def case(request):
    """60 samples of five labels; 2 is never true, 3 always; scores have many ties."""
    rng = np.random.default_rng(request.param)
    truth = (rng.uniform(size=(60, K)) < [0.1, 0.5, 0, 1, 0.3]).astype(np.int8)
    return truth, np.round(rng.uniform(size=(60, K)) * 0.7 + 0.2 * truth, 1)


def rows_of(case, metric, **options):
    return [row for row in scored(case, **options) if row.metric == metric]


def scored(case, **options):
    options = {"thresholds": {"0.5": np.full(K, 0.5)}} | options
    return score_multilabel(*case, resampling=Resampling(resamples=0), **options)


def value(case, metric, average=None, threshold=None, **options):
    rows = [row for row in rows_of(case, metric, **options) if row.class_index is None]
    kept = [row for row in rows if row.average == average]
    return next(row.value for row in kept if threshold in (None, row.threshold))


def per_class(case, metric):
    return np.array([row.value for row in rows_of(case, metric) if row.class_index is not None])


def decided(case):
    return case[0], (case[1] >= 0.5).astype(int)


def present(case):
    return np.flatnonzero(case[0].any(axis=0))


@pytest.mark.parametrize("metric", REFERENCES)
def test_values_of_present_labels_equal_the_reference(case, metric):
    expected = REFERENCES[metric](*decided(case), average=None, zero_division=0)
    kept = present(case)
    np.testing.assert_allclose(per_class(case, metric)[kept], expected[kept], **TIGHT)


@pytest.mark.parametrize("metric", REFERENCES)
def test_macro_equals_the_reference_over_present_labels(case, metric):
    options = {"labels": present(case), "average": "macro", "zero_division": 0}
    expected = REFERENCES[metric](*decided(case), **options)
    np.testing.assert_allclose(value(case, metric, "macro"), expected, **TIGHT)


@pytest.mark.parametrize("metric", REFERENCES)
def test_micro_equals_the_reference(case, metric):
    expected = REFERENCES[metric](*decided(case), average="micro")
    np.testing.assert_allclose(value(case, metric, "micro"), expected, **TIGHT)


@pytest.mark.parametrize("average", ["weighted", "samples"])
@pytest.mark.parametrize("metric", REFERENCES)
def test_other_averages_equal_the_reference(case, metric, average):
    expected = REFERENCES[metric](*decided(case), average=average, zero_division=0)
    np.testing.assert_allclose(value(case, metric, average), expected, **TIGHT)


@pytest.mark.parametrize("metric", REFERENCES)
def test_macro_with_absent_labels_as_zero_equals_the_reference(case, metric):
    expected = REFERENCES[metric](*decided(case), average="macro", zero_division=0)
    np.testing.assert_allclose(value(case, metric, "macro", absent="zero"), expected, **TIGHT)


@pytest.mark.filterwarnings("ignore:No positive class found")
def test_map_with_absent_labels_as_zero_equals_the_reference(case):
    expected = reference.average_precision_score(*case)
    np.testing.assert_allclose(value(case, "map", "macro", absent="zero"), expected, **TIGHT)
    assert mean_average_precision(*case, absent="zero") == value(
        case, "map", "macro", absent="zero"
    )


def test_weighted_map_equals_the_reference(case):
    kept = present(case)
    expected = reference.average_precision_score(
        case[0][:, kept], case[1][:, kept], average="weighted"
    )
    np.testing.assert_allclose(value(case, "map", "weighted"), expected, **TIGHT)


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_f2_of_a_yes_to_everything_equals_the_reference(case, average):
    kept = present(case) if average == "macro" else range(K)
    yes = np.ones_like(case[0])
    expected = reference.fbeta_score(case[0], yes, beta=2, labels=kept, average=average)
    found = value(case, "f2", average, "all-positive")
    np.testing.assert_allclose(found, expected, **TIGHT)


def test_hamming_loss_of_a_no_to_everything_is_the_share_of_positives(case):
    assert value(case, "hamming_loss", threshold="all-negative") == pytest.approx(case[0].mean())


def test_hamming_loss_equals_the_reference(case):
    expected = reference.hamming_loss(*decided(case))
    np.testing.assert_allclose(value(case, "hamming_loss"), expected, **TIGHT)


def test_counts_equal_the_reference(case):
    ours = [per_class(case, name) for name in ("tn", "fp", "fn", "tp")]
    expected = reference.multilabel_confusion_matrix(*decided(case)).reshape(K, 4)
    np.testing.assert_array_equal(np.transpose(ours), expected)


def test_average_precision_of_present_labels_equals_the_reference(case):
    truth, scores = case
    expected = [reference.average_precision_score(truth[:, k], scores[:, k]) for k in present(case)]
    np.testing.assert_allclose(per_class(case, "map")[present(case)], expected, **TIGHT)


def test_macro_map_equals_the_reference_over_present_labels(case):
    kept = present(case)
    expected = reference.average_precision_score(case[0][:, kept], case[1][:, kept])
    np.testing.assert_allclose(value(case, "map", "macro"), expected, **TIGHT)


def test_micro_map_equals_the_reference(case):
    expected = reference.average_precision_score(*case, average="micro")
    np.testing.assert_allclose(value(case, "map", "micro"), expected, **TIGHT)


def test_mean_average_precision_is_the_macro_row(case):
    assert mean_average_precision(*case) == value(case, "map", "macro")


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=12).filter(
        lambda pairs: any(t for t, _ in pairs)
    )
)
def test_average_precision_equals_the_reference_whatever_the_ties(pairs):
    truth, scores = np.array(pairs).T[:, :, None]
    expected = reference.average_precision_score(truth[:, 0], scores[:, 0])
    np.testing.assert_allclose(mean_average_precision(truth, scores), expected, **TIGHT)


@pytest.mark.parametrize("metric", ["map", "recall"])
def test_an_absent_label_has_no_number(case, metric):
    assert np.isnan(per_class(case, metric)[2])


def test_a_label_never_true_nor_predicted_has_no_f2(case):
    truth, scores = case
    scores[:, 2] = 0
    assert np.isnan(per_class((truth, scores), "f2")[2])


def test_n_of_a_label_is_its_positives(case):
    counts = [row.n for row in rows_of(case, "map") if row.class_index is not None]
    assert counts == case[0].sum(axis=0).tolist()


def test_each_set_of_thresholds_has_its_rows(case):
    thresholds = {"low": np.full(K, 0.2), "high": np.full(K, 0.8)}
    rows = rows_of(case, "recall", thresholds=thresholds)
    values = {r.threshold: r.value for r in rows if r.average == "micro"}
    assert values["low"] > values["high"]


def test_rankings_need_no_threshold(case):
    assert {row.threshold for row in rows_of(case, "map")} == {None}


def test_a_score_at_the_threshold_is_a_yes():
    rows = rows_of((np.ones((1, K), int), np.full((1, K), 0.5)), "recall")
    assert rows[0].value == 1


def test_every_multilabel_metric_of_the_catalog_is_scored(case):
    rows = scored(case)
    assert {row.metric for row in rows} == {n for n, spec in METRICS.items() if spec.multilabel}


def test_no_row_stands_twice(case):
    rows = scored(case)
    keys = {(row.metric, row.threshold, row.average, row.class_index) for row in rows}
    assert len(keys) == len(rows)


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        (lambda t, s: (t - 1, s), "truth: it holds numbers other"),
        (lambda t, s: (t, np.where(s > 0.8, np.nan, s)), "scores: some are NaN"),
        (lambda t, s: (t, s[:-1]), r"scores: their shape is \(59, 5\)"),
        (lambda t, s: (t[:, 0], s), r"truth: its shape is \(60,\)"),
    ],
)
def test_what_cannot_be_scored_is_refused(case, change, culprit):
    with pytest.raises(ProbeError, match=culprit):
        mean_average_precision(*change(*case))
