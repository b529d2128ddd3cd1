"""What a transformers folder says beside its tensors is used, as assumed, or refused by name."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from fake_hub import SHAPE, save_model
from made_weights import Harmful, network, tensors
from made_weights import load as load_made
from safetensors.torch import load_file, save_file

from featbank.backbones import BACKBONES
from featbank.backbones.building.transformers_folder import input_statistics
from featbank.backbones.building.transformers_settings import DEFAULTS
from featbank.bands import RGB
from featbank.errors import FeatbankError, UsageError, WeightsError
from featbank.inputs.normalise import published
from featbank.sources.backbones_by_name import named_backbone
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.first_weights import read_first_weights
from featbank.sources.weights import folder_sha256, load_weights
from featbank.stages.embed.agreement import own_statistics

DINOV2 = {
    **BACKBONES["dinov2-small"].config,
    "dim": 32,
    "depth": 3,
    "heads": 2,
    "mlp_dim": 128,
    "patch_px": 14,
    "grid": 4,
}
SPEC = replace(BACKBONES["dinov2-small"], config=DINOV2)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Gives the folder of a small model of a family, saved once; not to be changed."""
    root = tmp_path_factory.mktemp("folders")

    def folder(kind, **settings):
        path = root / "-".join([kind, *map(str, settings.items())])
        return path if path.exists() else save_model(path, kind, **settings)

    return folder


@pytest.fixture
def folder(kept, tmp_path):
    """Gives a copy of such a folder, with some of its ``config.json`` changed."""

    def copied(kind="dinov2", *, changes=None, drop=(), processor=None, **settings):
        path = tmp_path / "model"
        shutil.copytree(kept(kind, **settings), path)
        config = json.loads((path / "config.json").read_text()) | (changes or {})
        config = {name: value for name, value in config.items() if name not in drop}
        (path / "config.json").write_text(json.dumps(config))
        if processor is not None:
            (path / "preprocessor_config.json").write_text(json.dumps(processor))
        return path

    return copied


def by_name(path, **options):
    spec, options = named_backbone(EmbedOptions(model=f"hf:{path}", dataset="x", **options))
    weights = load_weights(spec, options)
    return spec, weights


def as_weights(path, **options):
    return load_weights(
        SPEC, EmbedOptions(model=SPEC.name, dataset="x", weights=str(path), **options)
    )


def chips():
    return torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(0))


def tokens(path):
    """The library's own normed tokens."""
    from transformers import AutoModel

    model = AutoModel.from_pretrained(path).eval()
    options = {"interpolate_pos_encoding": True} if "vit" in path.name else {}
    with torch.inference_mode():
        return model(pixel_values=chips(), **options).last_hidden_state


def cls(spec, weights):
    with torch.inference_mode():
        return spec.build(weights.config, weights.state)(chips(), layers=[2])["cls"][:, 0]


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_act": "relu"},
        {"hidden_act": "gelu_new"},
        {"layer_norm_eps": 1e-5},
        {"qkv_bias": False},
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
        {"pruned_heads": {"0": [1]}},
        {"num_attention_heads": 0},
        {"num_attention_heads": "2"},
        {"num_attention_heads": None},
        {"hidden_size": 32.5},
        {"image_size": [56, 28]},
        {"patch_size": [14, 7]},
        {"mlp_ratio": "wide"},
        {"num_channels": True},
    ],
    ids=lambda changes: "-".join(map(str, next(iter(changes.items())))),
)
def test_a_setting_that_is_not_followed_is_refused_by_name(folder, changes):
    with pytest.raises(WeightsError, match=f"config.json says {next(iter(changes))}"):
        by_name(folder(changes=changes))


@pytest.mark.parametrize("changes", [{"hidden_act": "relu"}, {"layer_norm_eps": 1e-5}])
def test_so_is_it_where_the_folder_is_named_as_weights(folder, changes):
    with pytest.raises(WeightsError, match=f"config.json says {next(iter(changes))}"):
        as_weights(folder(changes=changes))


def test_so_is_it_where_a_file_of_the_folder_is_named(folder):
    path = folder(changes={"layer_norm_eps": 1e-5})
    with pytest.raises(WeightsError, match="config.json says layer_norm_eps"):
        as_weights(path / "model.safetensors")


@pytest.mark.parametrize(
    "settings",
    [{"hidden_act": "relu"}, {"layer_norm_eps": 0.1}, {"qkv_bias": False}],
    ids=lambda settings: next(iter(settings)),
)
def test_families_of_the_library_follow_their_settings(kept, settings):
    path = kept("vit", **settings)
    usual = cls(*by_name(kept("vit")))
    found = cls(*by_name(path))
    torch.testing.assert_close(found, tokens(path)[:, 0], rtol=1e-5, atol=1e-5)
    assert (found - usual).abs().max() > 1e-4


@pytest.mark.parametrize("heads", [1, 4])
def test_heads_of_the_folder_count_for_a_catalog_model(folder, heads):
    path = folder(num_attention_heads=heads)
    weights = as_weights(path)
    assert weights.config["heads"] == heads
    torch.testing.assert_close(cls(SPEC, weights), tokens(path)[:, 0], rtol=1e-5, atol=1e-5)


def test_heads_of_a_bare_file_are_the_users_word(folder, tmp_path):
    path = folder(num_attention_heads=4)
    bare = tmp_path / "bare.safetensors"
    shutil.copy(path / "model.safetensors", bare)
    weights = as_weights(bare, answers={"heads": 4})
    torch.testing.assert_close(cls(SPEC, weights), tokens(path)[:, 0], rtol=1e-5, atol=1e-5)
    assert (cls(SPEC, as_weights(bare)) - tokens(path)[:, 0]).abs().max() > 1e-4


def test_an_answer_may_repeat_a_folders_heads_and_not_change_them(folder):
    path = folder()
    assert as_weights(path, answers={"heads": 2}).config["heads"] == 2
    with pytest.raises(WeightsError, match="says 2 attention heads; expected those"):
        as_weights(path, answers={"heads": 4})


def test_a_folder_has_no_parts(folder):
    with pytest.raises(UsageError, match="a folder of one network"):
        as_weights(folder(), answers={"part": "model"})


@pytest.mark.parametrize("kind", ["dinov2", "vit"])
def test_settings_left_out_are_the_librarys_own(folder, kind):
    drop = ("qkv_bias", "hidden_act", "num_channels", "layerscale_value")
    path = folder(kind, drop=drop)
    torch.testing.assert_close(cls(*by_name(path)), tokens(path)[:, 0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", DEFAULTS)
def test_defaults_are_those_of_the_installed_library(kind):
    from transformers import AutoConfig

    config = AutoConfig.for_model(kind).to_dict()
    assert {name: config[name] for name in DEFAULTS[kind]} == DEFAULTS[kind]


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_act": None},
        {"hidden_act": "no such function"},
        {"encoder_stride": "x"},
        {"layer_norm_eps": "small"},
        {"num_register_tokens": "x"},
        {"num_hidden_layers": 2**70},
        {"hidden_size": 33},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_value_that_the_library_does_not_take_is_one_line(folder, changes):
    path = folder("vit", changes=changes)
    with pytest.raises(WeightsError) as caught:
        by_name(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).isprintable()


def test_registers_that_a_family_has_not_are_not_counted(folder):
    path = folder("vit", changes={"num_register_tokens": 4})
    spec, weights = by_name(path)
    with torch.inference_mode():
        out = spec.build(weights.config, weights.state)(chips(), layers=[2])
    assert "registers" not in out
    torch.testing.assert_close(out["mean"][:, 0], tokens(path)[:, 1:].mean(1), rtol=1e-5, atol=1e-5)


def test_sides_may_be_pairs(folder):
    path = folder(changes={"patch_size": [14, 14], "image_size": [56, 56]})
    assert by_name(path)[1].config["patch_px"] == 14


@pytest.mark.parametrize("content", ["", "null", "[]", "{", '"x"', "\x00\x01"])
@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_damaged_settings_are_named(folder, name, content):
    path = folder()
    (path / name).write_text(content)
    with pytest.raises(FeatbankError, match=name):
        by_name(path)


def sharded(path, kind):
    """The folder again, its weights in several files with an index."""
    from transformers import AutoModel

    AutoModel.from_pretrained(path).save_pretrained(path / "shards", max_shard_size="30KB")
    return path / "shards"


@pytest.mark.parametrize("kind", ["dinov2", "vit"])
def test_shards_give_what_the_whole_gives(folder, kind):
    path = folder(kind)
    shards = sharded(path, kind)
    assert len(list(shards.glob("*.safetensors"))) > 2
    torch.testing.assert_close(cls(*by_name(shards)), cls(*by_name(path)))


@pytest.mark.parametrize("keeps_index", [True, False])
def test_a_missing_shard_is_named(folder, keeps_index):
    shards = sharded(folder(), "dinov2")
    last = sorted(shards.glob("*.safetensors"))[-1]
    last.unlink()
    if not keeps_index:
        (shards / "model.safetensors.index.json").unlink()
    with pytest.raises(WeightsError, match=f"lacks {last.name}"):
        by_name(shards)


def test_another_precision_beside_the_whole_is_not_taken(folder):
    path = folder()
    state = load_file(path / "model.safetensors")
    save_file({n: v.half() + 1 for n, v in state.items()}, path / "model_fp16.safetensors")
    torch.testing.assert_close(cls(*by_name(path)), tokens(path)[:, 0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["dinov2", "vit"])
def test_a_folder_of_an_older_release_is_read(folder, kind):
    path = folder(kind)
    expected = cls(*by_name(path))
    torch.save(load_file(path / "model.safetensors"), path / "pytorch_model.bin")
    (path / "model.safetensors").unlink()
    torch.testing.assert_close(cls(*by_name(path)), expected)


def test_a_pickle_in_such_a_folder_never_runs(folder):
    path = folder("vit")
    (path / "model.safetensors").unlink()
    torch.save({"vit.layernorm.weight": Harmful()}, path / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="it asks for exec, which is neither") as caught:
        by_name(path)
    assert "weights_only" not in str(caught.value)


def test_a_folder_of_timm_is_its_file(tmp_path):
    (tmp_path / "config.json").write_text('{"architecture": "vit_tiny_patch4_16"}')
    path = tensors(network, "model.safetensors")(tmp_path)
    found, expected = load_made(tmp_path), load_made(path)
    assert (found.config, found.sha256) == (expected.config, expected.sha256)


def test_form_of_outputs_is_no_part_of_the_network(folder):
    path = folder("vit", changes={"return_dict": False, "output_attentions": True})
    torch.testing.assert_close(cls(*by_name(path)), cls(*by_name(path)))
    assert "return_dict" not in by_name(path)[1].config["transformers"]


def rewritten(path, change):
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def test_shards_that_differ_in_a_tensor_are_refused(folder):
    shards = sharded(folder(), "dinov2")
    first, second = sorted(shards.glob("*.safetensors"))[:2]
    name, values = next(iter(load_file(first).items()))
    rewritten(second, lambda tensors: tensors.update({name: values + 1}))
    with pytest.raises(WeightsError, match=f"{second.name}: '{name}' stands in another shard too"):
        by_name(shards)


def test_shards_that_agree_in_a_tensor_give_what_the_whole_gives(folder):
    path = folder()
    shards = sharded(path, "dinov2")
    first, second = sorted(shards.glob("*.safetensors"))[:2]
    rewritten(second, lambda tensors: tensors.update(load_file(first)))
    torch.testing.assert_close(cls(*by_name(shards)), cls(*by_name(path)))


def indexed(shards, change):
    index = shards / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    change(content["weight_map"])
    index.write_text(json.dumps(content))


def test_an_index_that_names_what_no_shard_holds_is_refused(folder):
    shards = sharded(folder(), "dinov2")
    last = sorted(shards.glob("*.safetensors"))[-1].name
    indexed(shards, lambda told: told.update({"encoder.layer.9.norm1.weight": last}))
    with pytest.raises(WeightsError, match=r"names 'encoder.layer.9.norm1.weight', which no shard"):
        by_name(shards)


def test_an_index_that_points_outside_is_refused(folder):
    shards = sharded(folder(), "dinov2")
    indexed(shards, lambda told: told.update({next(iter(told)): "../out.safetensors"}))
    with pytest.raises(WeightsError, match=r"points outside of it, to \.\./out.safetensors"):
        by_name(shards)


def test_shards_have_one_digest_wherever_they_are_read(folder):
    shards = sharded(folder(), "dinov2")
    digests = {folder_sha256(shards), by_name(shards)[1].sha256}
    assert digests == {read_first_weights(str(shards)).sha256}
    assert len(digests.pop()) == 64


def test_a_quantised_or_empty_matrix_of_a_hub_family_is_refused(folder):
    path = folder("vit")
    state = load_file(path / "model.safetensors")
    name = next(name for name in state if "output.dense.weight" in name)
    save_file({**state, name: torch.zeros_like(state[name])}, path / "model.safetensors")
    with pytest.raises(WeightsError, match=f"'{name}' is 0 throughout"):
        by_name(path)


def processed(processor, pixels):
    """(p, 3) values of 0..255 as the library's processors turn them."""
    values = pixels.astype(np.float64)
    if processor.get("do_rescale", True):
        values = values * processor.get("rescale_factor", 1 / 255)
    if processor.get("do_normalize", True):
        values = (values - processor["image_mean"]) / processor["image_std"]
    return values


MEAN, STD = [0.4, 0.5, 0.6], [0.1, 0.2, 0.3]
PROCESSORS = [
    {"image_mean": MEAN, "image_std": STD},
    {
        "image_mean": MEAN,
        "image_std": STD,
        "do_rescale": True,
        "rescale_factor": 0.00392156862745098,
    },
    {"image_mean": [102.0, 127.5, 153.0], "image_std": [50.0, 51.0, 52.0], "do_rescale": False},
    {"image_mean": MEAN, "image_std": STD, "rescale_factor": 1 / 127.5},
    {"image_mean": MEAN, "image_std": STD, "do_normalize": False},
    {"do_normalize": False, "do_rescale": False},
    {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_center_crop": True, "resample": 3},
]


@pytest.mark.parametrize("processor", PROCESSORS, ids=range(len(PROCESSORS)))
@pytest.mark.parametrize("kind", ["vit", "dinov2"])
def test_the_processors_numbers_are_those_of_the_library(folder, kind, processor):
    spec, weights = by_name(folder(kind, processor=processor))
    assert spec.normalise == "processor"
    numbers = published("processor", RGB, dataset="x", processor=weights.processor)
    pixels = np.random.default_rng(0).integers(0, 256, (50, 3))
    ours = (pixels - np.array(numbers.mean)) / np.array(numbers.std)
    np.testing.assert_allclose(ours, processed(processor, pixels), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("processor", "name"),
    [
        ({"image_mean": MEAN, "image_std": [0.1, 0, 0.3]}, "image_std"),
        ({"image_mean": "mean", "image_std": STD}, "image_mean"),
        ({"image_mean": [0.4, None, 0.6], "image_std": STD}, "image_mean"),
        ({"image_mean": MEAN, "image_std": STD, "rescale_factor": 0}, "rescale_factor"),
        ({"image_mean": MEAN, "image_std": STD, "do_rescale": "no"}, "do_rescale"),
        ({"image_mean": MEAN, "image_std": STD, "do_flip_channel_order": True}, "do_flip_channel"),
        ({"image_mean": MEAN, "image_std": STD, "do_color_quantize": True}, "do_color_quantize"),
        ({"image_mean": MEAN, "image_std": STD, "offset": True}, "offset"),
    ],
)
def test_a_processor_that_does_something_else_is_refused_by_name(folder, processor, name):
    with pytest.raises(WeightsError, match=f"preprocessor_config.json: says {name}"):
        by_name(folder(processor=processor))


def test_a_mean_of_three_bands_is_not_one_of_four():
    assert input_statistics({"image_mean": [0.5] * 4, "image_std": [0.5] * 4}, "p.json") == {}


def test_dinov2_without_a_processor_keeps_its_own_statistics(folder):
    assert by_name(folder())[0].normalise == "imagenet"


@pytest.mark.parametrize(
    ("mean", "expected"), [([0.485, 0.456, 0.406], "imagenet"), (MEAN, "processor")]
)
def test_other_statistics_of_a_catalog_models_folder_are_taken(folder, mean, expected):
    processor = {"image_mean": mean, "image_std": [0.229, 0.224, 0.225]}
    assert own_statistics(SPEC, as_weights(folder(processor=processor))) == expected


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ({"size": {"height": 384, "width": 384}}, True),
        ({"size": 384}, True),
        ({"size": {"height": 224, "width": 224}}, False),
        ({"size": {"shortest_edge": 256}, "do_center_crop": True, "crop_size": 224}, False),
        ({"size": {"shortest_edge": 256}}, False),
        ({"size": None}, False),
    ],
)
def test_another_size_of_the_processor_is_told(folder, size, told):
    notes = by_name(folder(processor={"image_mean": MEAN, "image_std": STD, **size}))[1].notes
    assert any("processor makes images of 384 px, this run 224" in note for note in notes) == told


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_file_of_the_folder_means_the_folder(folder, name):
    path = folder(num_attention_heads=4)
    torch.testing.assert_close(as_weights(path / name).state, as_weights(path).state)
    assert as_weights(path / name).config == as_weights(path).config


def test_a_vit_folder_is_no_file_of_timm(folder):
    spec = BACKBONES["vit-tiny"]
    asked = EmbedOptions(model=spec.name, dataset="x", weights=str(folder("vit")))
    with pytest.raises(WeightsError, match="model_type 'vit'.*--model hf:FOLDER"):
        load_weights(spec, asked)


@pytest.mark.parametrize(("eps", "told"), [(1e-6, False), (1e-12, True)])
def test_a_warm_start_tells_another_epsilon(folder, eps, told):
    notes = read_first_weights(str(folder("vit", layer_norm_eps=eps))).notes
    assert any("epsilon" in note for note in notes) == told


def test_a_warm_start_refuses_another_activation(folder):
    with pytest.raises(WeightsError, match="config.json says hidden_act 'relu'"):
        read_first_weights(str(folder("vit", hidden_act="relu")))


def test_the_shape_of_made_folders_is_that_of_these_tests():
    assert SHAPE["hidden_size"] == DINOV2["dim"]
