"""Scores by country, season and the like: those of the samples alone."""

import numpy as np
import pytest

from featbank.errors import ProbeError
from featbank.metrics.scoring.multilabel_scoring import mean_average_precision, score_multilabel
from featbank.metrics.scoring.resampling import Resampling
from featbank.metrics.scoring.scoring import score

N, K = 120, 3


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=N)
    return truth, rng.dirichlet(np.ones(K), size=N)


COUNTRY = np.array(["Portugal", "Finland", "", "Ireland"], dtype=object)[np.arange(N) % 4]


def subgroups(case, by, **options):
    rows = score(*case, resampling=Resampling(resamples=20, **options), by=by)
    return [row for row in rows if row.by is not None]


def heads(case, by, **options):
    return [row for row in subgroups(case, by, **options) if row.metric == "accuracy"]


def test_a_subgroup_is_scored_as_its_samples_alone(case):
    row = next(r for r in heads(case, {"country": COUNTRY}) if r.by_value == "Finland")
    kept = COUNTRY == "Finland"
    alone = score(case[0][kept], case[1][kept], resampling=Resampling(resamples=20))[0]
    assert (row.value, row.low, row.high, row.n) == (alone.value, alone.low, alone.high, N // 4)


def test_values_are_in_order_and_unknown_last(case):
    found = [row.by_value for row in heads(case, {"country": COUNTRY})]
    assert found == ["Finland", "Ireland", "Portugal", "unknown"]


def test_numbers_are_in_order_of_size(case):
    months = np.array([10, 2, 1])[np.arange(N) % 3]
    assert [row.by_value for row in heads(case, {"month": months})] == ["1", "2", "10"]


def test_several_columns_follow_each_other(case):
    found = heads(case, {"country": COUNTRY, "half": np.arange(N) // 60})
    assert [row.by for row in found] == ["country"] * 4 + ["half"] * 2


def test_all_samples_come_first_and_are_unchanged(case):
    plain = score(*case, resampling=Resampling(resamples=20))
    with_by = score(*case, resampling=Resampling(resamples=20), by={"country": COUNTRY})
    assert with_by[: len(plain)] == plain


def test_a_subgroup_of_one_group_has_no_interval(case):
    found = heads(case, {"half": np.arange(N) // 60}, groups=np.arange(N) // 60)
    assert [row.low for row in found] == [None, None]


def test_a_subgroup_of_one_sample_has_a_number_and_no_interval(case):
    found = heads(case, {"one": np.arange(N) == 0})
    assert [(row.n, row.low is None) for row in found] == [(N - 1, False), (1, True)]


def test_subgroups_have_no_rows_of_classes(case):
    assert {row.class_index for row in subgroups(case, {"country": COUNTRY})} == {None}


def test_labels_are_scored_by_subgroup_too():
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, 2, size=(N, K)), rng.uniform(size=(N, K))
    rows = score_multilabel(
        truth,
        scores,
        thresholds={"0.5": np.full(K, 0.5)},
        resampling=Resampling(resamples=0),
        by={"country": COUNTRY},
    )
    kept = COUNTRY == "Ireland"
    found = [row for row in rows if row.by_value == "Ireland" and row.threshold is None]
    assert found[0].value == mean_average_precision(truth[kept], scores[kept])


def test_a_column_that_names_samples_is_refused(case):
    truth, scores = (np.concatenate([each] * 3) for each in case)
    with pytest.raises(ProbeError, match="column 'id': it has 360 values among 360 samples"):
        score(truth, scores, by={"id": np.arange(360)})


def test_a_column_of_another_length_is_refused(case):
    with pytest.raises(ProbeError, match="column 'country': it has 119 values; expected 120"):
        score(*case, by={"country": COUNTRY[1:]})


def test_numbers_that_are_texts_stand_by_size():
    by = {"n": np.array(["10", "9", "", "-2.5", "x"], dtype=object)}
    rows = score(np.arange(5) % 2, np.eye(2)[np.arange(5) % 2], by=by)
    assert list(dict.fromkeys(row.by_value for row in rows if row.by)) == [
        "-2.5", "9", "10", "x", "unknown",
    ]  # fmt: skip
