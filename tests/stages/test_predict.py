"""Saved probes predict the store they were fitted on, and new images, as they were scored."""

import json
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import zarr
from fake_chips import write_chips
from fake_hub import save_model
from labelled_store import make_labelled_store
from layered_store import make_layered_store

from featbank.bank.bank import Bank
from featbank.bank.results import read_predictions
from featbank.bank.saved_probes import probe_folder, read_probe, write_probe
from featbank.errors import (
    DatasetError,
    FeatbankError,
    MissingPathError,
    ProbeError,
    StoreError,
    UnknownNameError,
    UsageError,
    WeightsError,
)
from featbank.probes import PROBES
from featbank.stages import predict_source
from featbank.stages.embed import embed_dataset
from featbank.stages.embed_options import EmbedOptions, Followed
from featbank.stages.embed_plan import plan_embed
from featbank.stages.embed_recipe import attributes
from featbank.stages.predict import PredictOptions, plan_prediction, predict
from featbank.stages.prediction_table import predict_store
from featbank.stages.probe import ProbeOptions, probe_store
from featbank.stages.recipe_following import following
from featbank.stages.recipe_match import recipe_mismatches
from featbank.stages.saved_probe import load_probe
from featbank.store.reader import Store

QUICK = {
    "linear": {"min_steps": 20, "epochs": 1},
    "mlp": {"min_steps": 20, "epochs": 1, "hidden": 16},
    "forest": {"trees": 5},
}


def save(path, bank, **options):
    clf = options.get("clf", "")
    options = {"params": QUICK.get(clf, {}), "resamples": 5, "seeds": 1, "save": True} | options
    return probe_store(ProbeOptions(store=path, bank=bank, **options))


def says(bank, report, source, **options):
    found = predict(
        plan_prediction(
            PredictOptions(
                probe=report.results[0].result,
                source=str(source),
                bank=bank,
                write=False,
                **options,
            )
        )
    )
    return found, found.table.to_pandas()


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


def skip_unready(name):
    spec = PROBES[name]
    X, y = np.eye(8, 4, dtype=np.float32), np.arange(8) % 2
    classifier = spec.build(
        spec.defaults | QUICK.get(name, {}) | {"k": 1}
        if name == "knn"
        else spec.defaults | QUICK.get(name, {}),
        0,
    ).fit(X, y)
    if any("sklearn" in type(value).__module__ for value in vars(classifier).values()):
        pytest.xfail(f"{name} does not yet hold its state in arrays")


@pytest.mark.parametrize("name", list(PROBES))
def test_a_probes_own_store_is_predicted_as_it_was_scored(one_class, bank, name):
    skip_unready(name)
    rows, kept = require_equal(bank, save(one_class, bank, clf=name), one_class)
    assert rows["predicted"].tolist() == [kept.classes[k] for k in kept.predicted]


@pytest.mark.parametrize("name", list(PROBES))
def test_several_labels_are_predicted_as_they_were_scored(several, bank, name):
    skip_unready(name)
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


def test_features_of_several_blocks_are_read(one_class, bank):
    report = save(one_class, bank, protocol="pangaea-knn", params={"k": 5})
    assert len(load_probe(probe_folder(Bank(bank), report.results[0].result)).parts) == 4
    require_equal(bank, report, one_class)


def test_a_probe_that_sees_some_columns_predicts_as_it_was_scored(one_class, bank):
    if "columns" not in PROBES["linear"].build({}, 0).get_params():
        pytest.xfail("linear probes do not yet take columns")
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


def test_the_temperature_of_a_verdict_is_kept(one_class, bank, monkeypatch):
    from featbank.stages import probe

    def judge(*args, **kwargs):
        verdict = judged(*args, **kwargs)
        told = replace(verdict.scored[0], metric="temperature", value=1.75)
        return replace(verdict, scored=[*verdict.scored, told])

    judged = probe.judge
    assert load_probe(save(one_class, bank, clf="knn").saved_path).temperature is None
    monkeypatch.setattr(probe, "judge", judge)
    report = save(one_class, bank, clf="knn", again=True)
    assert load_probe(report.saved_path).temperature == 1.75


def test_a_result_found_without_its_probe_is_fitted_again(one_class, bank):
    save(one_class, bank, clf="knn", save=False)
    assert save(one_class, bank, clf="knn").is_new
    assert not save(one_class, bank, clf="knn").is_new


def test_few_shot_probes_are_not_saved(one_class, bank):
    with pytest.raises(UsageError, match="--save: --shots fits many probes"):
        save(one_class, bank, clf="knn", shots=(1,))


def test_a_probe_on_joined_stores_is_not_saved(one_class, bank):
    from featbank.probes.protocols import PROTOCOLS
    from featbank.stages.probe_run import ProbeRun
    from featbank.stages.saved_probe import require_savable

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


# New images.


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=12)


@pytest.fixture(scope="module")
def flat(tmp_path_factory, imagery):
    """The same chips in one folder without labels, and one that is torn."""
    folder = tmp_path_factory.mktemp("f") / "flat"
    folder.mkdir()
    for path in sorted(imagery.rglob("*.png")):
        shutil.copy(path, folder / f"{path.parent.name}-{path.name}")
    (folder / "torn.png").write_bytes((folder / "class0-00.png").read_bytes()[:90])
    return folder


def embed(imagery, bank, **options):
    return embed_dataset(plan_of(imagery, bank, **options)).store


TINY = {"model": "vit-tiny", "weights": "random", "image_size": 32, "normalise": "half", "seed": 3}
CASES = {
    "imagestats": {"model": "imagestats"},
    "rcf": {"model": "rcf", "seed": 2, "split_scheme": "random-1"},
    "layers": TINY | {"layers": (2, -1), "store_dtype": "float16", "resize": "bilinear"},
    "pca3": TINY | {"adapt": "pca3", "normalise": "dataset"},
    "rgb": TINY | {"adapt": "rgb", "shard_rows": 16},
    "per-band": TINY | {"adapt": "per-band", "normalise": "dataset", "bands": "blue,green"},
}


def followed(plan, **more):
    """The plan of the recipe that a plan leads to, as a store would keep it."""
    kept = json.loads(json.dumps(attributes(plan)))
    follow = Followed(
        recipe=kept["recipe"],
        state=plan.weights.state if plan.spec.fit else {},
        weights=kept["weights"],
        fitted_scheme=kept["fitted_scheme"],
    )
    options = {"dataset": plan.options.dataset, "bank": plan.options.bank, "workers": 0}
    return plan_embed(following(follow, **options | more))


def plan_of(imagery, bank, **options):
    settings = {"dataset": str(imagery), "bank": bank, "workers": 0, "dtype": "float32"}
    return plan_embed(EmbedOptions(**settings | options))


@pytest.mark.parametrize("case", list(CASES))
def test_a_followed_recipe_is_the_same_on_the_same_images(imagery, bank, case):
    plan = plan_of(imagery, bank, **CASES[case])
    again = followed(plan)
    assert again.recipe == json.loads(json.dumps(plan.recipe))
    assert again.path == plan.path


def test_components_are_those_of_the_recipe_where_there_are_no_train_chips(imagery, flat, bank):
    plan = plan_of(imagery, bank, **CASES["pca3"])
    again = followed(plan, dataset=str(flat), max_invalid=0.1)
    assert again.adapted.weights == plan.adapted.weights
    assert recipe_mismatches(plan.recipe, again.recipe) == ()


def test_the_scheme_that_was_fitted_on_is_told_of_the_same_images_alone(imagery, flat, bank):
    plan = followed(plan_of(imagery, bank, model="rcf", split_scheme="random-1"))
    assert attributes(plan)["fitted_scheme"] == "random-1"
    options = replace(plan.options, dataset=str(flat), max_invalid=0.1)
    assert attributes(plan_embed(options))["fitted_scheme"] == ""


def test_a_followed_recipe_leaves_tokens_out(imagery, bank):
    again = followed(plan_of(imagery, bank, **TINY, tokens=True))
    assert again.recipe["features"] == ["cls", "mean"]
    assert again.layout.shard_rows == 4096


@pytest.mark.slow
@pytest.mark.parametrize("wavelengths", [None, (0.7, 0.5, 0.4)])
def test_a_followed_recipe_keeps_dofas_wavelengths(imagery, bank, wavelengths):
    options = TINY | {"model": "dofa", "image_size": 16, "wavelengths": wavelengths}
    plan = plan_of(imagery, bank, **options)
    assert followed(plan).path == plan.path


@pytest.fixture(scope="module")
def fitted(imagery, tmp_path_factory):
    """A bank with a saved probe on random convolutional features, and its report."""
    bank = tmp_path_factory.mktemp("b") / "bank"
    path = embed(imagery, bank, model="rcf")
    return bank, path, save(path, bank, clf="logistic", params={"C": 1.0})


def test_new_images_are_predicted_without_labels_or_train_chips(fitted, flat, imagery):
    bank, path, report = fitted
    found, frame = says(bank, report, flat, workers=0, max_invalid=0.1)
    _, own = says(bank, report, path)
    own["sample_id"] = own["sample_id"].str.replace("/", "-")
    joined = frame.merge(own, on="sample_id", suffixes=("", "_own"))
    assert len(joined) == 36
    for name in ("class0", "class1", "class2"):
        np.testing.assert_array_equal(joined[f"p_{name}"], joined[f"p_{name}_own"])
    torn = frame.set_index("sample_id").loc["torn"]
    assert not torn["valid"]
    assert pd.isna(torn["predicted"])
    assert torn["refused"]
    assert Store(found.store).label_sets == ()


def test_images_that_were_predicted_are_not_embedded_again(fitted, flat):
    bank, _, report = fitted
    first, _ = says(bank, report, flat, workers=0, max_invalid=0.1)
    times = {path: path.stat().st_mtime_ns for path in first.store.rglob("*")}
    again, _ = says(bank, report, flat, workers=0, max_invalid=0.1)
    assert again.store == first.store
    assert times == {path: path.stat().st_mtime_ns for path in again.store.rglob("*")}


def test_a_predicted_store_names_the_command_that_finishes_it(fitted, flat):
    bank, _, report = fitted
    found, _ = says(bank, report, flat, workers=0, max_invalid=0.1)
    command = f"featbank predict --probe {report.results[0].result} path/to/flat"
    assert Store(found.store).attributes["command"] == command


def test_predicting_does_not_name_the_newest_store(fitted, flat):
    bank, path, report = fitted
    says(bank, report, flat, workers=0, max_invalid=0.1)
    assert Bank(bank).newest() == path


def test_predicted_images_can_be_shown(fitted, flat):
    from featbank.stages.show import open_store

    bank, _, report = fitted
    found, _ = says(bank, report, flat, workers=0, max_invalid=0.1)
    assert open_store(found.store).show(["class1-03"]).size[0] == 160


def test_a_saved_probe_does_without_its_store_and_bank(fitted, flat, imagery, tmp_path):
    bank, _, report = fitted
    folder = tmp_path / "given" / "away"
    shutil.copytree(report.saved_path, folder)
    options = PredictOptions(
        probe=str(folder),
        source=str(flat),
        bank=tmp_path / "new",
        workers=0,
        max_invalid=0.1,
        write=False,
    )
    frame = predict(plan_prediction(options)).table.to_pandas()
    _, own = says(bank, report, flat, workers=0, max_invalid=0.1)
    np.testing.assert_array_equal(frame["p_class1"], own["p_class1"])


def test_too_many_refused_images_stop_the_run(fitted, flat):
    bank, _, report = fitted
    with pytest.raises(FeatbankError, match="1 of 37 chips are refused"):
        says(bank, report, flat, workers=0)


def test_a_named_dataset_is_predicted_with_its_places(fitted, tmp_path):
    bank, _, report = fitted
    out = tmp_path / "p.parquet"
    options = PredictOptions(
        probe=report.results[0].result,
        source="synthetic-rgb",
        chips=12,
        workers=0,
        bank=bank,
        out=out,
    )
    found = predict(plan_prediction(options))
    table = pq.read_table(out)
    assert json.loads(table.schema.metadata[b"geo"])["primary_column"] == "geometry"
    assert json.loads(table.schema.metadata[b"featbank"])["protocol"] == "featbank-logistic"
    assert table["geometry"].null_count == 0
    assert any("processing is" in note for note in found.notes)


def test_images_of_other_bands_are_refused(fitted):
    bank, _, report = fitted
    with pytest.raises(FeatbankError, match="red"):
        says(bank, report, "synthetic-s1", chips=12, workers=0)


def test_an_unknown_dataset_is_told(fitted):
    bank, _, report = fitted
    with pytest.raises(UnknownNameError, match="Did you mean 'synthetic-rgb'"):
        says(bank, report, "synthetic-rbg")


def test_an_empty_folder_is_told(fitted, tmp_path):
    bank, _, report = fitted
    (tmp_path / "none").mkdir()
    with pytest.raises(DatasetError, match="none: this folder holds no image"):
        says(bank, report, tmp_path / "none")


def test_a_file_is_no_folder_of_images(fitted, flat):
    bank, _, report = fitted
    with pytest.raises(UsageError, match="torn.png: is a file"):
        says(bank, report, flat / "torn.png")


def test_options_of_embedding_beside_a_store_are_refused(fitted):
    bank, path, report = fitted
    with pytest.raises(UsageError, match="--data-root: .* is embedded already"):
        says(bank, report, path, data_root=path)


@pytest.mark.slow
def test_a_state_that_the_bank_lost_is_told_with_the_command(imagery, bank):
    path = embed(imagery, bank, model="rcf")
    shutil.rmtree(bank / "states")
    with pytest.raises(StoreError, match="does not keep the fitted state .*Run 'featbank embed"):
        save(path, bank, clf="knn")
    assert not (bank / "results").exists()
    embed(imagery, bank, model="rcf")
    assert save(path, bank, clf="knn", params={"k": 3}).saved_path.is_dir()


def test_a_recipe_that_images_cannot_follow_is_told(one_class, flat, bank):
    report = save(one_class, bank, clf="knn")
    with pytest.raises(StoreError, match="the recipe of its store lacks compute_dtype"):
        says(bank, report, flat)


@pytest.fixture(scope="module")
def weighed(imagery, tmp_path_factory):
    """A saved probe on a network whose weights are a file of the user's."""
    import torch
    from safetensors.torch import save_file

    from featbank.backbones import BACKBONES

    spec = BACKBONES["vit-tiny"]
    state = {n: torch.as_tensor(v).contiguous() for n, v in spec.initial(spec.config, 1).items()}
    file = tmp_path_factory.mktemp("w") / "mine.safetensors"
    save_file(state, file)
    bank = file.parent / "bank"
    path = embed(imagery, bank, **TINY | {"weights": str(file)})
    return file, bank, save(path, bank, clf="knn", params={"k": 3})


@pytest.fixture(autouse=True)
def kept_weights(tmp_path, monkeypatch):
    """An empty folder where weights are looked for."""
    monkeypatch.setenv("FEATBANK_WEIGHTS", str(tmp_path / "kept"))
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


def test_weights_are_found_where_they_are_kept(weighed, flat, kept_weights):
    file, bank, report = weighed
    shutil.copy(file, kept_weights)
    found, _ = says(bank, report, flat, workers=0, max_invalid=0.1)
    assert found.n_invalid == 1


def test_missing_weights_are_told(weighed, flat):
    _, bank, report = weighed
    with pytest.raises(MissingPathError, match="mine.safetensors .sha256 .* Pass its path"):
        says(bank, report, flat, workers=0)


def test_other_weights_are_refused_before_any_chip_is_read(weighed, flat, tmp_path):
    from safetensors.torch import load_file, save_file

    file, bank, report = weighed
    other = tmp_path / "other.safetensors"
    save_file({n: v + 1 for n, v in load_file(file).items()}, other)
    with pytest.raises(WeightsError, match="other.safetensors: its sha256 .* expected mine.safet"):
        says(bank, report, flat, weights=str(other), workers=0)


@pytest.fixture(scope="module")
def from_hub(imagery, tmp_path_factory):
    """A saved probe on a network of a transformers folder."""
    folder = save_model(tmp_path_factory.mktemp("h") / "tiny", "dinov2")
    bank = folder.parent / "bank"
    path = embed(imagery, bank, model=f"hf:{folder}", image_size=28)
    return folder, bank, save(path, bank, clf="knn", params={"k": 3})


@pytest.mark.slow
def test_a_transformers_folder_is_named_by_its_path(from_hub, flat):
    folder, bank, report = from_hub
    found, _ = says(bank, report, flat, weights=str(folder), workers=0, max_invalid=0.1)
    assert found.n == 37


@pytest.mark.slow
def test_a_transformers_folder_that_is_not_named_is_told(from_hub, flat):
    _, bank, report = from_hub
    with pytest.raises(MissingPathError, match="weights of hf:tiny: tiny .* Pass its path"):
        says(bank, report, flat, workers=0)


def test_the_hub_is_not_asked_unless_that_is_said(imagery, weighed, monkeypatch, flat):
    asked = []

    def folder(name, *, may_download):
        asked.append((name, may_download))
        raise MissingPathError(name, "not here", "it", "Do.")

    monkeypatch.setattr(predict_source, "hub_folder", folder)
    saved = load_probe(weighed[2].saved_path)
    saved.__dict__["weights"] = "lab/tiny"
    for download in (False, True):
        options = PredictOptions(probe="x", source=str(flat), download=download)
        with pytest.raises(MissingPathError):
            predict_source.predict_source(saved, options)
    assert asked == [("lab/tiny", False), ("lab/tiny", True)]


def test_probabilities_that_are_not_finite_are_refused(one_class, bank, monkeypatch):
    report = save(one_class, bank, clf="logistic")
    saved = load_probe(report.saved_path)
    saved.classifier.coef_ *= np.nan
    with pytest.raises(ProbeError, match="chip-000: probe .* not finite"):
        predict_store(saved, Store(one_class), None)
