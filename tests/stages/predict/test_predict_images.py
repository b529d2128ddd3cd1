"""Saved probes predict new images, embedded as the recipe of their store says."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fake_chips import write_chips
from fake_hub import save_model
from layered_store import make_layered_store
from predicting import save, says

from featbank.bank.bank import Bank
from featbank.errors import (
    DatasetError,
    FeatbankError,
    MissingPathError,
    StoreError,
    UnknownNameError,
    UsageError,
    WeightsError,
)
from featbank.recipes.same_embedding import PREDICT, match_recipes
from featbank.sources.embed_options import EmbedOptions, Followed
from featbank.sources.following import following
from featbank.stages.embed.attributes import attributes
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.stages.predict import source as predict_source
from featbank.stages.predict.run import PredictOptions, plan_prediction, predict
from featbank.stages.probe.saved_probe import load_probe
from featbank.store.reader import Store


@pytest.fixture
def bank(tmp_path):
    return tmp_path / "bank"


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
    assert match_recipes(plan.recipe, again.recipe, PREDICT).mismatches == ()


def test_the_scheme_that_was_fitted_on_is_told_of_the_same_images_alone(imagery, flat, bank):
    plan = followed(plan_of(imagery, bank, model="rcf", split_scheme="random-1"))
    assert attributes(plan)["fitted_scheme"] == "stratified-1"
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
    from featbank.pictures.show import open_store

    bank, _, report = fitted
    found, _ = says(bank, report, flat, workers=0, max_invalid=0.1)
    assert open_store(found.store).show(["class1-03"]).width == 156 + 2 * 6


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


def test_a_recipe_that_images_cannot_follow_is_told(flat, bank, tmp_path):
    report = save(make_layered_store(tmp_path / "made.zarr"), bank, clf="knn")
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

    monkeypatch.setattr("featbank.sources.following.hub_folder", folder)
    saved = load_probe(weighed[2].saved_path)
    saved.__dict__["weights"] = "lab/tiny"
    for download in (False, True):
        options = PredictOptions(probe="x", source=str(flat), download=download)
        with pytest.raises(MissingPathError):
            predict_source.predict_source(saved, options)
    assert asked == [("lab/tiny", False), ("lab/tiny", True)]


def test_copies_under_other_names_are_predicted_under_these_and_change_no_label(
    fitted, imagery, tmp_path
):
    bank, path, report = fitted
    before = Store(path).to_pandas()
    copies = tmp_path / "copies"
    copies.mkdir()
    for number, image in enumerate(sorted(imagery.rglob("*.png"), reverse=True)):
        shutil.copy(image, copies / f"{number:02d}-{image.parent.name}-{image.name}")
    found, frame = says(bank, report, copies, workers=0)
    assert found.store == path
    assert sorted(frame["sample_id"]) == sorted(image.stem for image in copies.iterdir())
    _, own = says(bank, report, path)
    own["sample_id"] = own["sample_id"].str.replace("/", "-")
    frame["sample_id"] = frame["sample_id"].str[3:]
    joined = frame.merge(own, on="sample_id", suffixes=("", "_own"))
    assert len(joined) == 36
    np.testing.assert_array_equal(joined["p_class0"], joined["p_class0_own"])
    pd.testing.assert_frame_equal(Store(path).to_pandas(), before)
    assert Bank(bank).source(path)["dataset"] == str(imagery)
