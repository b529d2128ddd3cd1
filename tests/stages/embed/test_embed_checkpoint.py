"""A checkpoint is a backbone: its bands by name, its size, its statistics, its tensors."""

import numpy as np
import pytest
import torch
import zarr
from fake_chips import write_chips
from made_checkpoint import RGB, tiny_config, tiny_record, write_tiny
from PIL import Image

from featbank.backbones.building.vit_build import build_vit, initial_vit
from featbank.bank.bank import Bank
from featbank.bank.checkpoints import ENCODER, checkpoint_path, encoder_sha256, write_checkpoint
from featbank.errors import (
    ContractError,
    MissingPathError,
    UnknownNameError,
    UsageError,
    WeightsError,
)
from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.store.reader import Store


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("c"), seen={"chips": ["class0/00", "class1/03"]})


def plan(imagery, model, bank, **more):
    return plan_embed(
        EmbedOptions(
            model=str(model), dataset=str(imagery), bank=bank, workers=0, dtype="float32", **more
        )
    )


def test_features_are_those_of_the_checkpoints_network_and_statistics(
    imagery, checkpoint, tmp_path
):
    store = Store(embed_dataset(plan(imagery, checkpoint, tmp_path)).store)
    chip = np.asarray(Image.open(imagery / "class1" / "03.png"), dtype=np.float32)
    x = (chip - np.float32([120, 110, 100])) / np.float32([40, 41, 42])
    network = build_vit(tiny_config(), initial_vit(tiny_config(), 0))
    with torch.inference_mode():
        expected = network(torch.from_numpy(x).permute(2, 0, 1)[None], layers=[1])
    row = store.ids.tolist().index("class1/03")
    np.testing.assert_allclose(store.features()[row], expected["cls"][0, 0], rtol=1e-4, atol=1e-5)


def test_layers_tokens_and_registers_are_stored(imagery, checkpoint, tmp_path):
    asked = plan(imagery, checkpoint, tmp_path, layers=(0, 1), tokens=True, registers=True)
    path = embed_dataset(asked).store
    shapes = {name: zarr.open_array(path / name).shape for name in ("tokens", "registers", "cls")}
    assert shapes == {"tokens": (24, 2, 3, 3, 32), "registers": (24, 2, 2, 32), "cls": (24, 2, 32)}


def test_the_recipe_knows_the_checkpoint_by_name_and_hash_not_by_path(
    imagery, checkpoint, tmp_path
):
    made = plan(imagery, checkpoint, tmp_path)
    assert made.recipe["model"]["name"] == checkpoint.name
    assert made.recipe["model"]["weights_sha256"] == encoder_sha256(checkpoint)
    assert made.path.name.startswith(f"{checkpoint.name}-")
    assert str(checkpoint.parent) not in str(made.recipe)


def test_a_checkpoint_of_the_bank_is_found_by_its_name(imagery, tmp_path):
    record = tiny_record()
    folder = checkpoint_path(Bank(tmp_path), dataset="chips", name=record.name)
    write_checkpoint(folder, record, initial_vit(record.config, 0), {})
    assert plan(imagery, record.name, tmp_path).recipe == plan(imagery, folder, tmp_path).recipe


def test_the_stores_command_embeds_the_same(imagery, tmp_path):
    record = tiny_record()
    folder = checkpoint_path(Bank(tmp_path), dataset="chips", name=record.name)
    write_checkpoint(folder, record, initial_vit(record.config, 0), {})
    store = Store(embed_dataset(plan(imagery, folder, tmp_path)).store)
    words = store.attributes["command"].split()
    assert words[words.index("--model") + 1] == record.name
    assert "--weights" not in words
    assert words[words.index("--normalise") + 1] == "checkpoint"


def test_bands_are_taken_by_name_whatever_the_datasets_order(imagery, tmp_path):
    bands = (RGB[2], RGB[0])
    path = write_tiny(
        tmp_path,
        bands=bands,
        config=tiny_config(channels=2),
        statistics={"method": "dataset", "mean": [1.0, 2.0], "std": [3.0, 4.0], "source": "s"},
    )
    assert plan(imagery, path, tmp_path).inputs.bands == ("blue", "red")


def test_a_dataset_without_the_bands_is_told_both(tmp_path):
    path = write_tiny(tmp_path)
    with pytest.raises(ContractError, match=r"synthetic-s1: has bands VV, VH; expected red, green"):
        plan_embed(EmbedOptions(model=str(path), dataset="synthetic-s1", chips=20, workers=0))


def test_other_units_are_refused_under_its_own_statistics(imagery, tmp_path):
    bands = tuple({**band, "unit": "DN"} for band in RGB)
    path = write_tiny(tmp_path, bands=bands)
    with pytest.raises(
        ContractError, match=r"gives bands red, green, blue \(uint8\); expected red.*\(DN\), on"
    ):
        plan(imagery, path, tmp_path)


def test_other_bands_may_stand_in_under_the_datasets_statistics(tmp_path):
    path = write_tiny(tmp_path)
    asked = EmbedOptions(
        model=str(path),
        dataset="synthetic-s2",
        chips=40,
        bands="rgb",
        normalise="dataset",
        workers=0,
    )
    made = plan_embed(asked)
    assert made.inputs.statistics.method == "dataset"
    assert "the checkpoint was trained on red, green, blue and is given B04, B03, B02" in made.notes


def test_the_adapter_of_its_training_is_taken_with_its_own_sums(tmp_path):
    sums = [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]
    recipe = {
        "input": {
            "bands": ["red", "green", "blue"],
            "adapter": {"name": "pca3", "channels": ["pc1", "pc2", "pc3"], "weights": sums},
        }
    }
    bands = tuple({"name": f"pc{i}", "wavelength_um": None, "unit": "unknown"} for i in (1, 2, 3))
    path = write_tiny(tmp_path, bands=bands, recipe=recipe)
    made = plan(write_chips(tmp_path / "d"), path, tmp_path)
    assert [list(row) for row in made.adapted.weights] == sums
    assert made.inputs.statistics.mean == (120.0, 110.0, 100.0)


def test_checkpoint_statistics_of_another_model_are_refused(imagery, tmp_path):
    with pytest.raises(UsageError, match="the model is no checkpoint"):
        plan(imagery, "imagestats", tmp_path, normalise="checkpoint")


def test_weights_beside_a_checkpoint_are_refused(imagery, checkpoint, tmp_path):
    with pytest.raises(UsageError, match="is a checkpoint and holds its weights"):
        plan(imagery, checkpoint, tmp_path, weights="random")


def test_a_cut_checkpoint_is_refused_before_any_chip_is_read(tmp_path):
    path = write_tiny(tmp_path)
    (path / ENCODER).write_bytes((path / ENCODER).read_bytes()[:100])
    with pytest.raises(WeightsError, match="cut short"):
        plan(tmp_path, path, tmp_path)


def test_a_folder_that_is_no_checkpoint_is_named(imagery, tmp_path):
    with pytest.raises(MissingPathError, match=r"holds no checkpoint\.json"):
        plan(imagery, tmp_path, tmp_path)


def test_a_misspelt_model_is_suggested(imagery, tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'imagestats'"):
        plan(imagery, "imagestat", tmp_path)


def test_an_unfinished_run_is_noted(imagery, tmp_path):
    path = write_tiny(tmp_path, is_finished=False)
    assert any("step 7 of a run that has not" in n for n in plan(imagery, path, tmp_path).notes)


def test_the_store_tells_which_chips_the_checkpoint_saw(imagery, checkpoint, tmp_path):
    store = Store(embed_dataset(plan(imagery, checkpoint, tmp_path)).store)
    seen = store.column("meta_seen_in_pretraining")
    assert store.ids[np.asarray(seen, dtype=str) == "yes"].tolist() == ["class0/00", "class1/03"]
    assert store.attributes["pretraining"]["checkpoint"] == checkpoint.name
