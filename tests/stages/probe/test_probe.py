import json
import shutil

import numpy as np
import pandas as pd
import pytest
from fake_chips import write_chips

import featbank
from featbank.errors import MissingPathError, ProbeError, UsageError
from featbank.stages.probe.run import ProbeOptions, probe_store


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    root = tmp_path_factory.mktemp("p")
    featbank.embed(
        "imagestats", write_chips(root / "chips", chips=30), bank=root / "bank", workers=0
    )
    return root / "bank"


@pytest.fixture(scope="module")
def report(bank):
    return probe_store(ProbeOptions(clf="logistic", bank=bank))


def run(bank, **options):
    return probe_store(ProbeOptions(**{"clf": "knn", "bank": bank, "resamples": 50, **options}))


def test_the_headline_comes_first_and_alone_is_selected(report):
    assert [row.selected for row in report.results] == [True] + [False] * (len(report.results) - 1)


def test_the_headline_is_accuracy_on_test(report):
    assert (report.results[0].metric, report.results[0].split) == ("accuracy", "test")


def test_rows_tell_what_computed_them_and_in_what_arithmetic(report):
    assert {(row.device, row.dtype) for row in report.results} == {("cpu", "float32")}


def test_the_device_is_no_part_of_the_id(bank, report):
    again = run(bank, clf="logistic", resamples=None, device="cpu")
    assert again.results[0].result == report.results[0].result
    assert not again.is_new


@pytest.mark.parametrize("options", [{}, {"shots": (2,)}])
def test_a_gpu_is_told_by_its_name(bank, monkeypatch, options):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda place: f"a GPU ({place})")
    # The search itself takes the CPU, as there is no GPU that could do it.
    monkeypatch.setattr("featbank.knn.search.device_of", lambda name: "cpu")
    rows = run(bank, device="cuda", again=True, **options).results
    assert {(row.device, row.dtype) for row in rows} == {("a GPU (cuda)", "float64")}


def test_a_probe_that_has_no_use_for_a_gpu_says_so(bank, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    head = run(bank, clf="forest", params={"trees": 4}, device="cuda").results[0]
    assert (head.device, head.dtype) == ("cpu", "float64")
    assert "probe 'forest' computes on the CPU" in head.note


def test_a_device_that_is_not_there_is_refused(bank, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(
        UsageError,
        match="device cuda: (torch .* is built without CUDA|this machine has no CUDA device)",
    ):
        run(bank, device="cuda")


def test_easy_colours_are_told_apart(report):
    assert report.results[0].value > 0.9


def test_the_final_probe_is_fitted_on_train_and_validation(report):
    by_split = {row.split: row.n_train for row in report.results if row.metric == "accuracy"}
    assert by_split == {"test": 72, "val": 54}


def test_the_scores_are_those_of_a_probe_fitted_on_both(bank):
    from featbank.probes.fitting.knn_classifier import KnnClassifier

    found = run(bank)
    store = featbank.open_store(found.results[0].store)
    (X, y), (X_val, y_val), (X_test, _) = (store.xy(name) for name in ("train", "val", "test"))
    both = KnnClassifier(k=20).fit(np.concatenate([X, X_val]), np.concatenate([y, y_val]))
    scores = np.stack(pd.read_parquet(found.predictions_path)["scores"])
    np.testing.assert_allclose(scores, both.predict_proba(X_test), atol=1e-6)


def test_accuracy_is_that_of_the_confusion_matrix(report):
    expected = np.trace(report.confusion) / report.confusion.sum()
    assert report.results[0].value == pytest.approx(expected)


def test_counts_of_a_class_add_up_to_the_split(report):
    first = [row for row in report.results if row.class_name == "class0"]
    counts = {row.metric: row.value for row in first}
    assert sum(counts[name] for name in ("tp", "fp", "tn", "fn")) == 18


def test_every_number_names_its_store_and_recipe(report):
    rows = [row.as_row() for row in report.results]
    assert all(row["store"] and len(row["recipe"]) == 64 and row["protocol"] for row in rows)


def test_results_stand_in_the_bank(report, bank):
    frame = featbank.read_results(bank)
    assert len(frame[frame["result"] == report.results[0].result]) == len(report.results)


def test_predictions_stand_in_the_bank(report):
    frame = pd.read_parquet(report.predictions_path)
    assert (frame["truth"] == frame["predicted"]).mean() == report.results[0].value


def test_predictions_name_their_classes(report):
    import pyarrow.parquet as pq

    metadata = pq.read_schema(report.predictions_path).metadata
    assert json.loads(metadata[b"classes"]) == ["class0", "class1", "class2"]


def test_probability_rows_sum_to_one(report):
    scores = np.stack(pd.read_parquet(report.predictions_path)["scores"])
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_the_same_probe_gives_the_same_numbers(bank):
    first, again = run(bank), run(bank)
    assert first.results == again.results


def test_a_result_whose_predictions_were_removed_is_made_anew(bank):
    first = run(bank)
    first.predictions_path.unlink()
    again = run(bank)
    assert again.is_new
    assert again.predictions_path.exists()


def test_a_probe_run_twice_is_one_result(bank):
    run(bank)
    before = len(featbank.read_results(bank))
    run(bank)
    assert len(featbank.read_results(bank)) == before


def test_another_seed_is_another_result(bank):
    assert run(bank).results_path != run(bank, seed=1).results_path


def test_fixed_parameters_are_told(bank):
    assert json.loads(run(bank, params={"k": 3}).results[0].params)["k"] == 3


def test_a_parameter_the_probe_does_not_have_is_named(bank):
    with pytest.raises(UsageError, match="--k: probe 'logistic' has no such parameter"):
        run(bank, clf="logistic", params={"k": 3})


def test_statistics_of_another_scheme_are_told(bank):
    assert "fitted on train of 'stratified-0'" in run(bank, split_scheme="random-3").results[0].note


def test_the_own_scheme_needs_no_note(bank):
    assert run(bank).results[0].note == ""


def test_a_best_value_at_the_edge_is_told(bank):
    spec_note = probe_store(ProbeOptions(clf="logistic", bank=bank)).results[0]
    swept = json.loads(spec_note.params)["C"]
    assert ("edge of its grid" in spec_note.note) == (swept in (1e-3, 1e2))


def test_random_weights_are_told_in_every_row(tmp_path):
    imagery = write_chips(tmp_path / "chips", chips=10)
    options = {"weights": "random", "normalise": "half", "workers": 0}
    featbank.embed("vit-tiny", imagery, bank=tmp_path / "bank", **options)
    rows = run(tmp_path / "bank", params={"k": 3}).results
    assert all("random, untrained" in row.weights and "random" in row.note for row in rows)


def test_a_set_without_validation_takes_a_fifth_of_train(tmp_path):
    write_chips(tmp_path / "a", chips=20)
    for split in ("train", "test"):
        shutil.copytree(tmp_path / "a", tmp_path / "d" / split)
    featbank.embed("imagestats", tmp_path / "d", bank=tmp_path / "bank", workers=0)
    rows = run(tmp_path / "bank").results
    assert (rows[1].n, rows[1].n_train) == (12, 48)
    assert "validation is 20% of train" in rows[0].note


def test_a_set_without_test_is_named(tmp_path):
    shutil.copytree(write_chips(tmp_path / "a"), tmp_path / "d" / "train")
    featbank.embed("imagestats", tmp_path / "d", bank=tmp_path / "bank", workers=0)
    with pytest.raises(ProbeError, match="no usable test sample"):
        run(tmp_path / "bank")


def test_a_store_by_model_and_dataset(bank):
    found = run(bank, model="imagestats", dataset="chips").results[0]
    assert found.model == "imagestats"


def test_a_store_that_is_not_there_is_named(bank):
    with pytest.raises(MissingPathError, match="no store of model 'rcf'"):
        run(bank, model="rcf")
