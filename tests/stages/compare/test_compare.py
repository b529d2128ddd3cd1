"""Comparing results of a bank: which, on which samples, and what is said."""

import shutil

import numpy as np
import pytest
from fake_results import IDS, N, keep, labels, one_class
from labelled_store import make_labelled_store
from made_results import make_result
from scipy import stats
from sklearn.metrics import accuracy_score, fbeta_score

import featbank
from featbank.errors import MissingPathError, ProbeError, UnknownNameError, UsageError
from featbank.metrics.scoring.averages import ZERO
from featbank.metrics.scoring.resampling import drawn_times
from featbank.stages.compare.run import CompareOptions, _absent, compare_results


@pytest.fixture
def bank(tmp_path):
    """Three results: aa is good, ab nearly as good, cc bad."""
    for result, skill, seed in (("aa11", 0.5, 1), ("ab22", 0.48, 1), ("cc33", 0.15, 2)):
        keep(tmp_path, result, *one_class(skill, seed), model=f"model-{result[:2]}", value=skill)
    return tmp_path


def compare(bank, *results, **options):
    return compare_results(
        CompareOptions(results=results, bank=bank, **{"resamples": 200} | options)
    )


def test_values_are_those_of_the_predictions(bank):
    truth, scores = one_class(0.5, 1)
    found = compare(bank, "aa11", "cc33")
    assert found.values[0] == accuracy_score(truth, scores.argmax(axis=1))


def expanded(drawn, units):
    """Hesterberg's expanded percentile interval: of t times the root of U / (U - 1) in normal."""
    tail = stats.norm.cdf((units / (units - 1)) ** 0.5 * stats.t.ppf(0.025, units - 1))
    return np.percentile(drawn, [100 * tail, 100 * (1 - tail)])


def test_an_interval_equals_a_loop_on_the_same_draws(bank):
    (pair,) = compare(bank, "aa11", "cc33", seed=3).pairs
    (truth, good), (_, bad) = one_class(0.5, 1), one_class(0.15, 2)
    gain = (good.argmax(axis=1) == truth) * 1.0 - (bad.argmax(axis=1) == truth)
    drawn = drawn_times(N, first=0, width=200, seed=3).T @ gain / N
    np.testing.assert_allclose([pair.low, pair.high], expanded(drawn, N))
    assert pair.difference == pytest.approx(gain.mean())


def test_a_clear_difference_is_named(bank):
    row = compare(bank, "cc33", "aa11").rows()[0]
    assert row["better"] == "aa11"
    assert row["verdict"].startswith("model-aa · featbank-knn · cls beats model-cc")


def test_close_results_show_no_difference(bank):
    (pair,) = compare(bank, "aa11", "ab22").pairs
    assert pair.better is None
    assert compare(bank, "aa11", "ab22").rows()[0]["verdict"].startswith("No difference shown")


def test_a_result_against_its_copy_has_a_p_value_of_one(bank):
    keep(bank, "dd44", *one_class(0.5, 1))
    (pair,) = compare(bank, "aa11", "dd44").pairs
    assert (pair.difference, pair.low, pair.high, pair.p) == (0, 0, 0, 1)


def test_every_pair_is_compared_and_corrected(bank):
    found = compare(bank, "aa11", "ab22", "cc33")
    assert [(pair.a, pair.b) for pair in found.pairs] == [(0, 1), (0, 2), (1, 2)]
    assert found.pairs[1].p_holm == pytest.approx(3 * found.pairs[1].p)


def test_the_first_digits_suffice(bank):
    assert [head.result for head in compare(bank, "c", "aa").results] == ["cc33", "aa11"]


def test_names_in_common_choose_results_best_first(bank):
    keep(bank, "ee55", *one_class(0.5), dataset="other")
    found = compare(bank, dataset="made")
    assert [head.result for head in found.results] == ["aa11", "ab22", "cc33"]


@pytest.mark.parametrize("option", ["model", "probe", "protocol", "features", "split_scheme"])
def test_other_names_choose_too(bank, option):
    field = "feature" if option == "features" else option
    for result in ("ee55", "ff66"):
        keep(bank, result, *one_class(0.5), **{field: "chosen"})
    found = compare(bank, dataset="made", **{option: "chosen"})
    assert [head.result for head in found.results] == ["ee55", "ff66"]


def test_what_tells_equal_names_apart_is_said(bank):
    for result, seed in (("ee55", 1), ("ff66", 2)):
        keep(bank, result, *one_class(0.5), seed=seed)
    names = compare(bank, "ee55", "ff66").names
    assert names == [f"none · featbank-knn · cls · seed {seed}" for seed in (1, 2)]


def test_results_that_nothing_tells_apart_bear_their_ids(bank):
    for result in ("ee55", "ff66"):
        keep(bank, result, *one_class(0.5))
    assert compare(bank, "ee55", "ff66").names[1] == "none · featbank-knn · cls · ff66"


def test_samples_are_joined_by_id_whatever_their_order(bank):
    truth, scores = one_class(0.15, 2)
    order = np.random.default_rng(0).permutation(N)
    keep(bank, "dd44", truth[order], scores[order], ids=IDS[order])
    shuffled, plain = compare(bank, "aa11", "dd44"), compare(bank, "aa11", "cc33")
    assert shuffled.pairs == plain.pairs


def test_samples_that_one_lacks_are_left_out_and_counted(bank):
    truth, scores = one_class(0.15, 2)
    keep(bank, "dd44", truth[5:], scores[5:], ids=IDS[5:])
    found = compare(bank, "aa11", "dd44")
    assert (found.n, found.left_out) == (N - 5, 5)
    good = one_class(0.5, 1)[1][5:]
    assert found.values[0] == accuracy_score(truth[5:], good.argmax(axis=1))


@pytest.fixture
def grouped(tmp_path):
    """Two results on the samples of a store whose tiles are groups."""
    path = tmp_path / "stores" / "made" / "none-00000000.zarr"
    path.parent.mkdir(parents=True)
    make_labelled_store(path)
    for result, skill in (("aa11", 0.5), ("cc33", 0.3)):
        keep(tmp_path, result, *one_class(skill), store=str(path), resampled="group")
    return tmp_path


def test_groups_are_resampled_where_results_say_so(grouped):
    found = compare(grouped, "aa11", "cc33")
    assert (found.resampled, found.units) == ("group", N // 8)
    (truth, good), (_, bad) = one_class(0.5), one_class(0.3)
    gain = (good.argmax(axis=1) == truth) * 1.0 - (bad.argmax(axis=1) == truth)
    order = np.argsort(np.unique([f"tile-{i}" for i in range(N // 8)]).astype(object))
    sums = gain.reshape(-1, 8).sum(axis=1)
    names = np.array([f"tile-{i}" for i in range(N // 8)])
    drawn = drawn_times(N // 8, first=0, width=200, seed=0).T @ sums[np.argsort(names)[order]] / N
    pair = found.pairs[0]
    np.testing.assert_allclose([pair.low, pair.high], expanded(drawn, N // 8))


def test_a_bank_may_have_moved(grouped, tmp_path_factory):
    moved = tmp_path_factory.mktemp("elsewhere") / "bank"
    shutil.move(grouped, moved)
    assert compare(moved, "aa11", "cc33").units == N // 8


def test_a_store_that_is_gone_is_named(grouped):
    shutil.rmtree(grouped / "stores")
    with pytest.raises(MissingPathError, match="the store of result aa11 is gone"):
        compare(grouped, "aa11", "cc33")


@pytest.fixture
def labelled(tmp_path):
    for result, skill in (("aa11", 0.5), ("cc33", 0.2)):
        keep(tmp_path, result, *labels(skill))
    return tmp_path


def test_labels_are_compared_by_macro_map(labelled):
    wanted = compare(labelled, "aa11", "cc33").wanted
    assert (wanted.metric, wanted.average, wanted.threshold) == ("map", "macro", None)


def test_another_metric_average_and_threshold_may_be_asked_for(labelled):
    options = {"metric": "f2", "average": "micro", "threshold": "tuned-f2"}
    found = compare(labelled, "aa11", "cc33", **options)
    truth, scores = labels(0.5)
    kept = scores.astype(np.float32) >= 0.3
    assert found.values[0] == pytest.approx(fbeta_score(truth, kept, beta=2, average="micro"))


def test_of_losses_the_smaller_is_the_better(labelled):
    (pair,) = compare(labelled, "aa11", "cc33", metric="hamming_loss").pairs
    assert pair.difference < 0
    assert pair.better == 0


def test_the_front_door_gives_a_table(bank):
    frame = featbank.compare("aa11", "cc33", bank=bank, resamples=50)
    assert frame.loc[0, ["a", "b", "metric", "n"]].tolist() == ["aa11", "cc33", "accuracy", N]
    assert featbank.compare(dataset="made", bank=bank, resamples=50).shape[0] == 3


@pytest.mark.parametrize(
    ("ids", "options", "error", "message"),
    [
        (("aa11", "zz"), {}, UnknownNameError, "^zz: no result in .* has this id"),
        (("a", "cc33"), {}, UsageError, "^a: 2 results begin with it: aa11, ab22"),
        (("aa11", "aa"), {}, UsageError, "^aa11: it is named twice"),
        (("aa11",), {}, UsageError, "1 of its results is meant; expected two or more"),
        ((), {"dataset": "none"}, UsageError, "0 of its results are meant"),
        (("aa11", "cc33"), {"dataset": "made"}, UsageError, "both results and what they"),
        ((), {}, UsageError, "neither results nor what they have in common"),
        (("aa", "cc"), {"metric": "accurasy"}, UnknownNameError, "Did you mean 'accuracy'"),
        (("aa", "cc"), {"metric": "map"}, UsageError, "--metric map: it has no paired"),
        (("aa", "cc"), {"metric": "ece"}, UsageError, "--metric ece: it has no paired"),
        (("aa", "cc"), {"metric": "f1", "average": "micro"}, UsageError, "one of macro, weighted"),
    ],
)
def test_what_cannot_be_chosen_is_told(bank, ids, options, error, message):
    with pytest.raises(error, match=message):
        compare(bank, *ids, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label_set": "other"}, "their label set differ: 'cover' and 'other'"),
        ({"classes": ("a", "b", "c")}, r"their classes differ: 3 \(field, forest, water\) and 3"),
        ({"ids": IDS + "x"}, "no sample was scored in all of them"),
    ],
)
def test_results_that_cannot_be_joined_name_both_sides(bank, change, message):
    keep(bank, "dd44", *one_class(0.3), model="other", **change)
    with pytest.raises(ProbeError, match=f"^'model-aa .*' and 'other .*': {message}") as refused:
        compare(bank, "aa11", "dd44")
    # Names in words do not lead to the files.
    assert "aa11.parquet and dd44.parquet in predictions/" in str(refused.value)


def test_another_truth_is_refused(bank):
    truth, scores = one_class(0.3)
    keep(bank, "dd44", np.where(np.arange(N) < 7, (truth + 1) % 3, truth), scores)
    with pytest.raises(ProbeError, match="the truth of 7 common samples differs"):
        compare(bank, "aa11", "dd44")


def test_results_of_several_label_sets_are_not_mixed(bank):
    keep(bank, "dd44", *one_class(0.3), label_set="other")
    with pytest.raises(UsageError, match=r"have 2 of it: cover \(of .*, other \(of dd44\)"):
        compare(bank, dataset="made")


def test_a_result_without_predictions_is_told(bank):
    (bank / "predictions" / "cc33.parquet").unlink()
    with pytest.raises(MissingPathError, match="cc33: its predictions are not in the bank"):
        compare(bank, "aa11", "cc33")


def test_unknown_thresholds_are_told(labelled):
    with pytest.raises(UsageError, match="--threshold 0.7.*one of 0.5, tuned-f2"):
        compare(labelled, "aa11", "cc33", metric="f2", threshold="0.7")


def test_mcnemar_stands_beside_the_accuracy_of_independent_samples(bank):
    found = compare(bank, "aa11", "cc33")
    right = [
        scores.argmax(axis=1) == truth for truth, scores in (one_class(0.5, 1), one_class(0.15, 2))
    ]
    alone = [int((right[i] & ~right[1 - i]).sum()) for i in (0, 1)]
    expected = stats.binomtest(alone[0], sum(alone)).pvalue
    assert found.pairs[0].p_mcnemar == pytest.approx(expected)
    assert "after Holm (McNemar's exact p " in found.rows()[0]["verdict"]


def test_mcnemars_test_is_corrected_for_all_pairs_too(bank):
    alone = compare(bank, "aa11", "cc33").pairs[0].p_mcnemar
    assert compare(bank, "aa11", "ab22", "cc33").pairs[1].p_mcnemar == pytest.approx(
        3 * alone, rel=1e-6, abs=0
    )


def test_mcnemar_is_not_asked_of_another_metric(bank):
    assert compare(bank, "aa11", "cc33", metric="f1").pairs[0].p_mcnemar is None


def test_mcnemar_is_not_asked_of_groups(grouped):
    assert compare(grouped, "aa11", "cc33").pairs[0].p_mcnemar is None


@pytest.mark.parametrize(
    ("protocols", "is_zero"),
    [
        (("htcv-2024-mlp",) * 2, True),
        (("htcv-2024-mlp", "featbank-knn"), False),
        (("mine",), False),
    ],
)
def test_absent_classes_count_as_the_protocols_count_them(protocols, is_zero):
    # A result whose test set has every class says nothing of absent ones; its resamples lack some.
    heads = [make_result(protocol=name) for name in protocols]
    assert (_absent(heads) == ZERO) is is_zero
