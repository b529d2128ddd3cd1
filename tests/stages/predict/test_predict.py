"""Saved probes predict the stores they were fitted on as they were scored."""

import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import zarr
from labelled_store import make_labelled_store
from layered_store import make_layered_store
from predicting import save, says

from featbank.bank.bank import Bank
from featbank.bank.results import read_predictions
from featbank.bank.saved_probes import probe_folder, read_probe, write_probe
from featbank.errors import (
    ProbeError,
    StoreError,
    UnknownNameError,
    UsageError,
)
from featbank.probes import PROBES
from featbank.stages.predict.table import predict_store
from featbank.stages.probe.run import ProbeOptions
from featbank.stages.probe.saved_probe import load_probe
from featbank.store.reader import Store


@pytest.fixture(scope="module")
def one_class(tmp_path_factory):
    return make_layered_store(tmp_path_factory.mktemp("one") / "s.zarr")


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    return make_labelled_store(tmp_path_factory.mktemp("several") / "s.zarr")


@pytest.fixture
def bank(tmp_path):
    return tmp_path / "bank"


def require_equal(bank, report, path):
    _, frame = says(bank, report, path)
    kept = read_predictions(report.predictions_path)
    rows = frame.set_index("sample_id").loc[kept.ids.tolist()]
    columns = [f"p_{name}" for name in kept.classes]
    np.testing.assert_allclose(rows[columns].to_numpy(), kept.scores, rtol=1e-6, atol=1e-9)
    assert frame["sample_id"].tolist() == Store(path).ids.tolist()
    assert frame["p_" + kept.classes[0]].dtype == np.float32
    return rows, kept


@pytest.mark.parametrize("name", list(PROBES))
def test_a_probes_own_store_is_predicted_as_it_was_scored(one_class, bank, name):
    rows, kept = require_equal(bank, save(one_class, bank, clf=name), one_class)
    assert rows["predicted"].tolist() == [kept.classes[k] for k in kept.predicted]


@pytest.mark.parametrize("name", [n for n in PROBES if PROBES[n].takes_several_labels])
def test_several_labels_are_predicted_as_they_were_scored(several, bank, name):
    rows, kept = require_equal(bank, save(several, bank, clf=name), several)
    expected = kept.scores >= kept.thresholds["0.5"]
    borne = [[label in labels for label in kept.classes] for labels in rows["labels"]]
    np.testing.assert_array_equal(borne, expected)


def test_tuned_thresholds_decide_where_they_are_named(several, bank):
    report = save(several, bank, clf="logistic")
    found, frame = says(bank, report, several, threshold="tuned-f2")
    kept = read_predictions(report.predictions_path)
    rows = frame.set_index("sample_id").loc[kept.ids.tolist(), "labels"]
    borne = [[label in labels for label in kept.classes] for labels in rows]
    np.testing.assert_array_equal(borne, kept.scores >= kept.thresholds["tuned-f2"])
    assert found.sentence().count(" at tuned-f2: ") == 1


def test_a_single_label_is_predicted_as_it_was_scored(several, bank):
    require_equal(bank, save(several, bank, clf="logistic", labels="any"), several)


def test_a_label_that_always_holds_is_predicted_without_a_classifier(tmp_path, bank):
    from labelled_store import N, make_samples

    from featbank.samples import LabelSet

    always = LabelSet(classes=("land",), codes=np.ones((N, 1), np.int8))
    path = make_labelled_store(
        tmp_path / "s.zarr",
        {"label_sets": ["always"]},
        labels=make_samples().labels | {"always": always},
    )
    report = save(path, bank, clf="knn", labels="always")
    _, frame = says(bank, report, path)
    assert (frame["p_land"] == 1).all()


@pytest.mark.parametrize("options", [{"features": "cls+mean"}, {"features": "mean", "layer": 9}])
def test_features_and_layers_asked_for_are_read(one_class, bank, options):
    require_equal(bank, save(one_class, bank, clf="logistic", **options), one_class)


def test_features_of_several_blocks_are_read(bank, tmp_path):
    names = ("cls", "mean", "mean_raw")
    path = make_layered_store(tmp_path / "raw.zarr", names=names)
    report = save(path, bank, protocol="pangaea-knn", params={"k": 5})
    assert len(load_probe(probe_folder(Bank(bank), report.results[0].result)).parts) == 4
    require_equal(bank, report, path)


def test_a_probe_that_sees_some_columns_predicts_as_it_was_scored(one_class, bank):
    params = {"steps": 5, "batch_size": 64}
    report = save(one_class, bank, protocol="dinov2-linear-frozen", params=params)
    require_equal(bank, report, one_class)


def test_what_is_kept_names_all_that_made_it(one_class, bank):
    report = save(one_class, bank, clf="logistic", labels="cover")
    head = report.results[0]
    saved = load_probe(report.saved_path)
    assert (saved.result, saved.protocol, saved.label_set) == (head.result, head.protocol, "cover")
    assert saved.recipe_id == head.recipe
    assert saved.headline["value"] == head.value
    assert saved.classes == ("forest", "water", "town")


def test_the_temperature_of_the_verdict_is_kept(one_class, bank):
    report = save(one_class, bank, clf="knn")
    (told,) = [row.value for row in report.results if row.metric == "temperature"]
    assert load_probe(report.saved_path).temperature == told


def test_a_result_found_without_its_probe_is_fitted_again(one_class, bank):
    save(one_class, bank, clf="knn", save=False)
    assert save(one_class, bank, clf="knn").is_new
    assert not save(one_class, bank, clf="knn").is_new


def test_few_shot_probes_are_not_saved(one_class, bank):
    with pytest.raises(UsageError, match="--save: --shots fits many probes"):
        save(one_class, bank, clf="knn", shots=(1,))


def test_a_probe_on_joined_stores_is_not_saved(one_class, bank):
    from featbank.probes.protocols import PROTOCOLS
    from featbank.stages.probe.probe_run import ProbeRun
    from featbank.stages.probe.saved_probe import require_savable

    store = Store(one_class)
    store.parts = (store, store)
    run = ProbeRun(PROTOCOLS["featbank-knn"], store, ProbeOptions(save=True))
    with pytest.raises(UsageError, match="--save: the probe reads 2 stores"):
        require_savable(run)


def test_nothing_is_kept_without_save(one_class, bank):
    assert save(one_class, bank, clf="knn", save=False).saved_path is None
    assert not (bank / "probes").exists()


def test_thresholds_for_one_class_a_sample_are_refused(one_class, bank):
    report = save(one_class, bank, clf="knn")
    with pytest.raises(UsageError, match="--threshold 0.5: the probe gives each sample one class"):
        says(bank, report, one_class, threshold="0.5")


def test_unknown_thresholds_are_refused(several, bank):
    report = save(several, bank, clf="knn")
    with pytest.raises(UsageError, match="--threshold 0.3: .* one of 0.5, tuned-f2"):
        says(bank, report, several, threshold="0.3")


def test_a_store_of_another_recipe_is_refused(one_class, several, bank, tmp_path):
    report = save(one_class, bank, clf="knn")
    other = make_layered_store(tmp_path / "o.zarr", recipe={"algorithm": 2})
    with pytest.raises(StoreError, match="o.zarr: is embedded in another way: version of the emb"):
        says(bank, report, other)


def test_a_store_without_the_layer_is_refused(one_class, bank, tmp_path):
    report = save(one_class, bank, clf="knn", layer=9)
    other = make_layered_store(tmp_path / "o.zarr", layers=(10, 11))
    with pytest.raises(UnknownNameError, match="9: o.zarr holds no such layer"):
        says(bank, report, other)


def test_a_store_without_the_feature_is_refused(one_class, bank, tmp_path):
    report = save(one_class, bank, clf="knn")
    other = make_layered_store(tmp_path / "o.zarr", names=("mean",), default_feature="mean")
    with pytest.raises(UnknownNameError, match="cls: o.zarr holds no such feature"):
        says(bank, report, other)


def test_a_store_of_another_width_is_refused(several, one_class, bank):
    report = save(one_class, bank, clf="knn", features="mean", layer=11)
    record, arrays = read_probe(report.saved_path)
    record["parts"] = [["mean", 0]]
    write_probe(Bank(bank), "f" * 16, record, arrays)
    report.results[0].__dict__["result"] = "f" * 16
    with pytest.raises(StoreError, match="its mean has 8 numbers a sample; expected 6"):
        says(bank, report, several)


def test_a_store_with_a_hole_is_refused(bank, tmp_path):
    features = np.random.default_rng(0).normal(size=(240, 4, 6))
    path = make_layered_store(tmp_path / "a.zarr", features=features)
    report = save(path, bank, clf="knn")
    features[7] = np.nan
    broken = make_layered_store(tmp_path / "b.zarr", features=features)
    with pytest.raises(StoreError, match="features of valid sample 'chip-007' are missing"):
        says(bank, report, broken)


def test_a_refused_sample_has_its_reason_and_no_prediction(one_class, bank, tmp_path):
    report = save(one_class, bank, clf="knn")
    path = tmp_path / "holes.zarr"
    shutil.copytree(one_class, path)
    group = zarr.open_group(path, mode="r+")
    for name, value in (("valid", False), ("refused", "torn"), ("cls", np.nan)):
        values = group[name][...]
        values[3] = value
        group[name][...] = values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(path)
    found, frame = says(bank, report, path)
    row = frame.iloc[3]
    assert (row["valid"], row["refused"]) == (False, "torn")
    assert pd.isna(row["predicted"])
    assert np.isnan(row["p_forest"])
    assert found.n_invalid == 1
    assert frame["p_forest"].notna().sum() == 239


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("parts", [["cls", 11], ["mean", 11]]),
        ("dim", 5),
        ("classes", ["forest", "water"]),
        ("probe", "logistic"),
        ("classifier", {}),
    ],
)
def test_a_record_that_does_not_fit_its_arrays_is_told(one_class, bank, place, value):
    report = save(one_class, bank, clf="knn")
    record, arrays = read_probe(report.saved_path)
    write_probe(Bank(bank), report.results[0].result, record | {place: value}, arrays)
    with pytest.raises((ProbeError, StoreError)):
        says(bank, report, one_class)


def test_a_record_without_a_field_is_told(one_class, bank):
    report = save(one_class, bank, clf="knn")
    record, arrays = read_probe(report.saved_path)
    del record["seed"]
    write_probe(Bank(bank), report.results[0].result, record, arrays)
    with pytest.raises(ProbeError, match="does not hold a whole probe .*seed"):
        load_probe(report.saved_path)


def test_probabilities_that_are_not_finite_are_refused(one_class, bank, monkeypatch):
    report = save(one_class, bank, clf="logistic")
    saved = load_probe(report.saved_path)
    saved.classifier.coef_ *= np.nan
    with pytest.raises(ProbeError, match="chip-000: probe .* not finite"):
        predict_store(saved, Store(one_class), None)
