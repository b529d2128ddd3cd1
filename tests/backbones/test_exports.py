"""Exports give the same features in the library they are for, and featbank reads them back."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from featbank.backbones import BACKBONES, WeightsFile
from featbank.backbones.building.exports import timm_arguments, to_timm, to_transformers
from featbank.backbones.building.vit_build import build_vit
from featbank.errors import WeightsError
from featbank.sources.backbones_by_name import named_backbone
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.first_weights import read_first_weights
from featbank.sources.weights import load_weights

SPEC = BACKBONES["vit-tiny"]
SIZE = {"dim": 48, "depth": 2, "heads": 3, "mlp_dim": 192, "patch_px": 8, "grid": 4, "channels": 5}
KINDS = {
    "plain": ({}, "ViTModel"),
    "scaled": ({"layer_scale": True}, "Dinov2Model"),
    "gated": ({"swiglu": True, "mlp_dim": 128}, "Dinov2Model"),
    "registers": ({"registers": 3}, "Dinov2WithRegistersModel"),
    "all": (
        {"registers": 3, "layer_scale": True, "swiglu": True, "mlp_dim": 128},
        "Dinov2WithRegistersModel",
    ),
}
EACH = pytest.mark.parametrize("kind", list(KINDS))


def network(kind="plain", **changes):
    """A config and a state whose every tensor differs from its neutral start."""
    config = {**SPEC.config, **SIZE, **KINDS[kind][0], **changes}
    generator = torch.Generator().manual_seed(3)
    state = SPEC.initial(config, 3)
    return config, {
        n: v + 0.1 * torch.randn(v.shape, generator=generator) for n, v in state.items()
    }


def chips():
    return torch.randn(2, 5, 32, 32, generator=torch.Generator().manual_seed(1))


def features(config, state):
    with torch.inference_mode():
        return build_vit(config, state)(chips(), layers=[config["depth"] - 1])


def folder_of(path, kind):
    config, state = network(kind)
    _, settings, tensors = to_transformers(config, state)
    path.mkdir()
    (path / "config.json").write_text(json.dumps(settings))
    save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})
    return path


@EACH
def test_the_class_follows_from_the_shape(kind):
    name, settings, _ = to_transformers(*network(kind))
    assert name == KINDS[kind][1] == settings["architectures"][0]


@EACH
def test_transformers_gives_the_same_tokens(kind, tmp_path):
    import transformers

    config, state = network(kind)
    folder = folder_of(tmp_path / "m", kind)
    options = {"add_pooling_layer": False} if kind == "plain" else {}
    model, info = getattr(transformers, KINDS[kind][1]).from_pretrained(
        folder, output_loading_info=True, **options
    )
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    with torch.inference_mode():
        tokens = model.eval()(pixel_values=chips()).last_hidden_state
    ours = features(config, state)
    torch.testing.assert_close(tokens[:, 0], ours["cls"][:, 0], rtol=1e-5, atol=1e-5)
    patches = tokens[:, 1 + config["registers"] :] if "registers" in config else tokens[:, 1:]
    torch.testing.assert_close(patches.mean(dim=1), ours["mean"][:, 0], rtol=1e-5, atol=1e-5)


@EACH
def test_featbank_reads_the_folder_back(kind, tmp_path):
    folder = folder_of(tmp_path / "m", kind)
    spec, options = named_backbone(EmbedOptions(model=f"hf:{folder}", dataset="x"))
    weights = load_weights(spec, options)
    with torch.inference_mode():
        back = spec.build(weights.config, weights.state)(chips(), layers=[1])
    torch.testing.assert_close(back["cls"], features(*network(kind))["cls"], rtol=1e-5, atol=1e-5)


@EACH
def test_timm_names_start_a_run_with_the_same_features(kind, tmp_path):
    config, state = network(kind)
    save_file(to_timm(config, state), tmp_path / "timm.safetensors")
    renamed = read_first_weights(str(tmp_path / "timm.safetensors")).state
    expected = features(config, state)["cls"]
    torch.testing.assert_close(features(config, renamed)["cls"], expected, rtol=1e-5, atol=1e-5)


def test_plain_timm_names_read_as_a_vit(tmp_path):
    config, state = network()
    save_file(to_timm(config, state), tmp_path / "timm.safetensors")
    size = {**SPEC.config, "dim": 48, "depth": 2, "heads": 3}
    found = SPEC.read(size, load_file(tmp_path / "timm.safetensors"), WeightsFile(name="t"))
    assert dict(found.config) == config
    assert all(torch.equal(found.state[name], value) for name, value in state.items())


def test_timm_names_of_the_published_tiny_vit_are_its_files(tiny_weights):
    state = {n: v for n, v in load_file(tiny_weights).items() if not n.startswith("head.")}
    assert set(to_timm(SPEC.config, state)) == set(state)


def test_timm_arguments_of_a_gated_network_with_registers():
    arguments = timm_arguments(network("all")[0])
    chosen = ("img_size", "in_chans", "reg_tokens", "no_embed_class", "mlp_layer")
    assert [arguments[name] for name in chosen] == [32, 5, 3, True, "SwiGLUPacked"]
    # As timm's own giant: two halves of 2 2/3.
    assert arguments["mlp_ratio"] * 48 == 2 * 128


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"padding_px": 3}, "patches padded by 3 px"),
        ({"has_fc_norm": True}, "a norm after pooling"),
        ({"has_norm": False}, "no norm of its tokens"),
        ({"registers": 2, "mlp_dim": 100}, "feed-forward layers of 100 for features of 48"),
    ],
)
def test_what_does_not_fit_is_named(changes, what):
    config = {**SPEC.config, **SIZE, **changes}
    with pytest.raises(WeightsError, match=f"the network has {what}"):
        to_transformers(config, SPEC.initial(config, 0))
