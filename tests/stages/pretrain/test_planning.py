"""What a pretraining run settles before its first step, and what it refuses in one line."""

import json

import numpy as np
import pytest
from fake_chips import write_chips
from made_checkpoint import tiny_config, write_tiny
from PIL import Image

from featbank.bank.checkpoints import ENCODER
from featbank.errors import ContractError, FeatbankError, UnknownNameError, UsageError, WeightsError
from featbank.recipes.recipe import recipe_id
from featbank.stages.pretrain.options import PretrainOptions
from featbank.stages.pretrain.planning import plan_pretrain


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=20)


def options(imagery, bank="bank", **more):
    settings = {"method": "mae", "model": "vit-tiny", "workers": 0, "image_size": 32, "patch": 8}
    return PretrainOptions(dataset=str(imagery), bank=bank, **{**settings, **more})


def plan(imagery, tmp_path, **more):
    return plan_pretrain(options(imagery, tmp_path, **more))


def refused(imagery, tmp_path, error, match, **more):
    with pytest.raises(error, match=match) as caught:
        plan(imagery, tmp_path, **more)
    assert "\n" not in str(caught.value)


def test_only_the_train_split_is_trained_on(imagery, tmp_path):
    made = plan(imagery, tmp_path)
    assert len(made.rows) == 36
    assert set(made.imagery.dataset.samples.splits["random-0"][made.rows]) == {0}
    assert any("36 of 60 chips: split train (scheme stratified-0)" in note for note in made.notes)


def test_other_splits_are_read_when_asked_for(imagery, tmp_path):
    assert len(plan(imagery, tmp_path, splits_seen=("train", "val")).rows) == 48


def test_a_flat_folder_of_images_is_trained_on_whole_and_said(tmp_path):
    folder = tmp_path / "flat"
    folder.mkdir()
    for i, path in enumerate(sorted(write_chips(tmp_path / "c").rglob("*.png"))):
        path.rename(folder / f"{i}.png")
    made = plan(folder, tmp_path)
    assert len(made.rows) == 24
    assert any("all chips, since no split is known" in note for note in made.notes)


def test_statistics_are_those_of_the_chips_trained_on(imagery, tmp_path):
    made = plan(imagery, tmp_path, splits_seen=("test",))
    ids = made.imagery.dataset.samples.ids[made.rows]
    pixels = np.concatenate([np.asarray(Image.open(imagery / f"{i}.png"))[None] for i in ids])
    expected = pixels.reshape(-1, 3).astype(float)
    np.testing.assert_allclose(made.inputs.statistics.mean, expected.mean(0), rtol=1e-5)
    np.testing.assert_allclose(made.inputs.statistics.std, expected.std(0), rtol=1e-5)
    assert made.inputs.statistics.source == "fitted on 12 test chips of scheme stratified-0"


def test_the_network_has_the_bands_patches_and_extras_asked_for(imagery, tmp_path):
    made = plan(imagery, tmp_path, registers=3, layer_scale=True, ffn="swiglu", bands="red,blue")
    config = made.request.config
    asked = {name: config[name] for name in ("channels", "patch_px", "grid", "registers")}
    assert asked == {"channels": 2, "patch_px": 8, "grid": 4, "registers": 3}
    assert (config["layer_scale"], config["swiglu"], config["mlp_dim"]) == (True, True, 512)
    assert made.request.state["patch_embed.proj.weight"].shape == (192, 2, 8, 8)


def test_layer_scales_start_at_the_methods_value(imagery, tmp_path):
    made = plan(imagery, tmp_path, layer_scale=True, hyper={"layer_scale_init": 1e-5})
    assert set(made.request.state["blocks.3.ls2.gamma"].tolist()) == {np.float32(1e-5)}


def test_an_adapter_makes_the_channels(tmp_path):
    made = plan("synthetic-s2", tmp_path, adapt="pca3", chips=40)
    assert [band.name for band in made.channels] == ["pc1", "pc2", "pc3"]
    assert made.recipe["input"]["adapter"]["weights"] == [list(r) for r in made.inputs.weights]
    assert made.request.config["channels"] == 3


def test_the_recipe_is_the_same_from_another_folder_and_with_other_workers(tmp_path):
    ids = {
        recipe_id(plan(write_chips(tmp_path / p / "chips"), tmp_path / p, workers=w).recipe)
        for p, w in (("a", 0), ("b", 2))
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"steps": 3},
        {"batch_size": 4},
        {"micro_batch": 2},
        {"hyper": {"mask_ratio": 0.5}},
        {"registers": 1},
        {"bands": "red"},
        {"splits_seen": ("train", "val")},
        {"normalise": "half"},
        {"dtype": "bfloat16"},
    ],
    ids=str,
)
def test_whatever_decides_the_weights_decides_the_recipe(imagery, tmp_path, change):
    usual = plan(imagery, tmp_path, dtype="float32")
    assert recipe_id(plan(imagery, tmp_path, **{"dtype": "float32", **change}).recipe) != recipe_id(
        usual.recipe
    )


def test_the_recipe_survives_json(imagery, tmp_path):
    recipe = plan(imagery, tmp_path).recipe
    assert json.loads(json.dumps(recipe)) == recipe


def test_the_path_names_method_model_and_recipe(imagery, tmp_path):
    made = plan(imagery, tmp_path)
    name = f"mae-vit-tiny-{recipe_id(made.recipe)[:8]}"
    assert made.path == tmp_path / "checkpoints" / "chips" / name


def test_the_batch_of_a_small_dataset_is_lowered_and_said(imagery, tmp_path):
    made = plan(imagery, tmp_path, epochs=3)
    assert (made.length.batch_size, made.length.steps_per_epoch, made.length.steps) == (32, 1, 3)
    assert any("the batch is 32, not the method's 4096" in note for note in made.notes)


def test_no_epoch_gives_the_weights_that_it_starts_from_and_sees_nothing(imagery, tmp_path):
    made = plan(imagery, tmp_path, epochs=0)
    assert (made.length.steps, made.saw, made.seen) == (0, (), {})
    assert any("no step is made" in note for note in made.notes)


def test_the_plan_knows_the_chips_that_will_have_been_seen(imagery, tmp_path):
    made = plan(imagery, tmp_path)
    assert made.saw[0]["samples"] == len(made.seen["chips"]) == 36
    assert made.seen["chips"] == sorted(made.imagery.dataset.samples.ids[made.rows])


def test_what_the_first_weights_saw_is_carried_on(imagery, tmp_path):
    before = {"dataset": "elsewhere", "samples": 1}
    source = write_tiny(tmp_path, saw=(before,), seen={"elsewhere": ["x"]}, config=tiny())
    made = plan(imagery, tmp_path, weights=str(source))
    assert [each["dataset"] for each in made.saw] == ["elsewhere", "chips"]
    assert made.seen["elsewhere"] == ["x"]


def tiny(**changes):
    shape = {"dim": 192, "depth": 12, "heads": 3, "mlp_dim": 768, "registers": 0, "grid": 4}
    return tiny_config(**shape, **changes)


def test_a_warm_start_takes_the_checkpoints_weights(imagery, tmp_path):
    source = write_tiny(tmp_path, config=tiny(), seed=7)
    made = plan(imagery, tmp_path, weights=str(source))
    from featbank.bank.checkpoints import read_encoder

    expected = read_encoder(source)["blocks.5.mlp.fc1.weight"]
    np.testing.assert_array_equal(made.request.state["blocks.5.mlp.fc1.weight"], expected)
    assert made.request.is_warm
    assert made.origin == source.name
    assert str(tmp_path) not in json.dumps(made.recipe)


def test_a_warm_start_may_keep_the_statistics_of_its_weights(imagery, tmp_path):
    source = write_tiny(tmp_path, config=tiny())
    made = plan(imagery, tmp_path, weights=str(source), normalise="checkpoint")
    assert made.inputs.statistics.mean == (120.0, 110.0, 100.0)


def test_the_command_makes_the_same_recipe(imagery, tmp_path):
    from click.testing import CliRunner

    made = plan(imagery, tmp_path, steps=2, hyper={"mask_ratio": 0.5}, registers=1, limit=10)
    words = made.command.replace("path/to/chips", str(imagery)).split()[2:]
    from featbank.cli.pretrain_command import command

    said = CliRunner().invoke(
        command, [*words, "--bank", str(tmp_path), "--workers", "0", "--dry-run", "--json"]
    )
    assert json.loads(said.stdout)["dry_run"]["checkpoint"] == str(made.path)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"method": "may"}, UnknownNameError, "Did you mean 'mae'"),
        ({"model": "vit-tinny"}, UnknownNameError, "Did you mean 'vit-tiny'"),
        (
            {"model": "rcf"},
            UsageError,
            "--model rcf: cannot be pretrained; expected one of dinov2-small",
        ),
        ({"image_size": 30}, UsageError, "30: is no multiple of the patch of 8 px; expected 24 or"),
        ({"ffn": "gelu"}, UsageError, "mlp or swiglu"),
        ({"hyper": {"mask_ration": 0.5}}, UsageError, "Did you mean 'mask_ratio'"),
        ({"hyper": {"mask_ratio": "half"}}, UsageError, "mask_ratio=half: is no number"),
        ({"hyper": {"lr": -1.0}}, UsageError, "is negative"),
        ({"hyper": {"norm_pixels": 1}}, UsageError, "is no true or false"),
        ({"hyper": {"epochs": 3}}, UsageError, "Pass --epochs"),
        ({"epochs": 2, "steps": 3}, UsageError, "both say how long"),
        ({"epochs": -1}, UsageError, "--epochs -1: out of range"),
        ({"batch_size": 37}, UsageError, "37: chips has 36 chips to train on; expected 2 to 36"),
        ({"splits_seen": ("training",)}, UnknownNameError, "Did you mean 'train'"),
        ({"splits_seen": ("unlabelled",)}, ContractError, "has no unlabelled chip .36 train"),
        ({"split_scheme": "random-9"}, UnknownNameError, "no split scheme"),
        ({"adapt": "per-band"}, UsageError, "one by one|alone"),
        ({"bands": "nir"}, UnknownNameError, "nir"),
        ({"normalise": "checkpoint"}, UsageError, "the model is no checkpoint"),
        ({"teacher": "t"}, UsageError, "learns from no other network"),
        ({"weights": "no/such.safetensors"}, FeatbankError, "no/such.safetensors"),
    ],
    ids=str,
)
def test_bad_input_is_one_line(imagery, tmp_path, change, error, match):
    refused(imagery, tmp_path, error, match, **change)


def test_one_chip_is_refused(tmp_path):
    folder = write_chips(tmp_path / "c", classes=1, chips=1)
    refused(folder, tmp_path, UsageError, "1 chip to train on; expected 2 or more")


def test_constant_chips_are_refused(tmp_path):
    folder = write_chips(tmp_path / "c", classes=2, chips=3)
    for path in folder.rglob("*.png"):
        Image.new("RGB", (24, 24), (9, 9, 9)).save(path)
    match = "all 6 chips looked at are refused; the first is class[01]/0[0-2]: .*constant"
    refused(folder, tmp_path, FeatbankError, match)


def test_no_images_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", tmp_path, FeatbankError, "holds no image")


def test_weights_cut_short_are_refused(imagery, tmp_path):
    source = write_tiny(tmp_path, config=tiny())
    (source / ENCODER).write_bytes((source / ENCODER).read_bytes()[:1000])
    refused(imagery, tmp_path, WeightsError, "encoder.safetensors", weights=str(source))


def test_a_checkpoint_is_no_architecture(imagery, tmp_path):
    refused(imagery, tmp_path, UsageError, "pass --weights", model=str(write_tiny(tmp_path)))


def test_excluded_chips_are_left_out(tmp_path):
    pytest.importorskip("featbank")
    made = plan("synthetic-s2", tmp_path, chips=40)
    exclude = made.imagery.dataset.samples.exclude
    assert exclude is None or (exclude[made.rows] == "").all()


HEADS = {"head.weight": np.ones((2, 2), np.float32)}


@pytest.mark.parametrize(
    ("teacher", "change", "error", "match"),
    [
        (None, {}, UsageError, "distill: no teacher is named"),
        ({"heads": {}}, {}, WeightsError, "keeps no heads"),
        ({"heads": HEADS}, {"bands": "red,blue"}, ContractError, "takes 3 bands .*the 2 of the"),
        ({"heads": HEADS}, {"patch": 16}, UsageError, "8 px wide; expected 16 px.*--patch 8"),
    ],
    ids=["none", "no heads", "bands", "patch"],
)
def test_a_teacher_that_does_not_suit_is_one_line(imagery, tmp_path, teacher, change, error, match):
    folder = None if teacher is None else write_tiny(tmp_path, **teacher)
    refused(imagery, tmp_path, error, match, method="distill", teacher=folder, **change)


def test_a_teacher_decides_the_recipe_by_its_hash(imagery, tmp_path):
    ids = set()
    for seed in (0, 1):
        folder = write_tiny(tmp_path / str(seed), heads=HEADS, seed=seed)
        made = plan(imagery, tmp_path, method="distill", teacher=folder)
        assert str(tmp_path) not in json.dumps(made.recipe)
        ids.add(recipe_id(made.recipe))
    assert len(ids) == 2
