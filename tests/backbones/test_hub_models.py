"""Transformers folders give what the library itself gives, tokens and pools in their places."""

import inspect

import pytest
import torch
from fake_hub import save_model

from featbank.errors import MissingPathError, WeightsError
from featbank.sources.backbones_by_name import named_backbone
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.weights import load_weights

KINDS = ["vit", "vit_mae", "vit_msn", "deit", "ijepa", "dinov3_vit", "siglip_vision_model"]
OWN = ["dinov2", "dinov2_with_registers"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Gives the folder of a small model of a family, saved once."""
    root = tmp_path_factory.mktemp("hub")

    def saved(kind, **settings):
        path = root / "-".join([kind, *map(str, settings)])
        return path if path.exists() else save_model(path, kind, **settings)

    return saved


def load(path, **options):
    spec, options = named_backbone(EmbedOptions(model=f"hf:{path}", dataset="x", **options))
    weights = load_weights(spec, options)
    return spec, weights, spec.build(weights.config, weights.state)


def chips(side):
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))


def reference(path, x):
    """The library's own normed tokens."""
    from transformers import AutoModel

    model = AutoModel.from_pretrained(path).eval()
    options = {}
    if "interpolate_pos_encoding" in inspect.signature(model.forward).parameters:
        options["interpolate_pos_encoding"] = True
    if "mae" in path.name:
        model.config.mask_ratio = 0.0
        options["noise"] = torch.arange((x.shape[-1] // 14) ** 2).expand(2, -1).float()
    with torch.inference_mode():
        return model(pixel_values=x, **options).last_hidden_state


@pytest.mark.parametrize("kind", KINDS + OWN)
@pytest.mark.parametrize("side", [56, 84])
def test_mean_is_that_of_the_librarys_patch_tokens(folder, kind, side):
    if kind == "dinov2" and side != 56:
        pytest.skip("resized as the original does; test_positions_of_transformers compares")
    path = folder(kind)
    with torch.inference_mode():
        out = load(path)[2](chips(side), layers=[2])
    patches = reference(path, chips(side))[:, -((side // 14) ** 2) :]
    torch.testing.assert_close(out["mean"][:, 0], patches.mean(dim=1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", [k for k in KINDS + OWN if k not in ("ijepa", KINDS[-1])])
def test_cls_is_the_librarys_first_token(folder, kind):
    path = folder(kind)
    with torch.inference_mode():
        out = load(path)[2](chips(56), layers=[2])
    torch.testing.assert_close(out["cls"][:, 0], reference(path, chips(56))[:, 0])


@pytest.mark.parametrize("kind", KINDS + OWN)
def test_it_gives_what_it_provides(folder, kind):
    spec, weights, network = load(folder(kind))
    with torch.inference_mode():
        out = network(chips(56), layers=[0, 2], with_tokens=True)
    provides = spec.describe(weights.config)
    assert set(out) == set(provides.features)
    assert out["tokens"].shape == (2, 2, 4, 4, provides.dim)


@pytest.mark.parametrize("kind", KINDS + OWN)
def test_the_raw_mean_is_that_of_the_tokens_before_the_norm(folder, kind):
    with torch.inference_mode():
        out = load(folder(kind))[2](chips(56), layers=[0, 2], with_tokens=True)
    torch.testing.assert_close(out["mean_raw"], out["tokens"].float().mean(dim=(2, 3)))


def test_positions_of_transformers_are_taken_on_request(folder):
    path = folder("dinov2")
    with torch.inference_mode():
        ours, theirs = (
            load(path, positions=positions)[2](chips(84), layers=[2])["mean"][:, 0]
            for positions in ("original", "transformers")
        )
    expected = reference(path, chips(84))[:, 1:].mean(dim=1)
    torch.testing.assert_close(theirs, expected, rtol=1e-5, atol=1e-5)
    assert (ours - expected).abs().max() > 1e-4


@pytest.mark.parametrize("kind", ["dinov2", "vit", "dinov2_with_registers"])
def test_a_classification_head_is_ignored_with_a_note(folder, kind):
    _, weights, _ = load(folder(kind, head=True))
    assert "ignored" in " ".join(weights.notes)


def test_the_folders_statistics_are_taken(folder):
    spec, weights, _ = load(folder("vit", mean=[0.1, 0.2, 0.3]))
    assert (spec.normalise, weights.processor["image_mean"]) == ("processor", [0.1, 0.2, 0.3])


def test_a_folder_without_statistics_asks_for_them(folder):
    assert load(folder("vit"))[0].normalise is None


def test_another_family_is_refused_with_those_that_are_known(tmp_path):
    save_model(tmp_path / "m", "beit")
    with pytest.raises(WeightsError, match="model_type is 'beit'; expected one of vit, vit_mae"):
        load(tmp_path / "m")


def test_a_folder_without_settings_is_named(tmp_path):
    with pytest.raises(MissingPathError, match=r"holds no config.json"):
        load(tmp_path)


def test_a_half_saved_folder_names_what_it_lacks(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    source = folder("vit")
    state = load_file(source / "model.safetensors")
    first = next(name for name in state if "layer" in name)
    save_file({n: v for n, v in state.items() if n != first}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text((source / "config.json").read_text())
    with pytest.raises(WeightsError, match="lacks 1 tensors"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("model", "kind", "settings", "dim"),
    [
        (
            "resnet50",
            "resnet",
            {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
            16,
        ),
        ("dinov3-small", "dinov3_vit", {"num_register_tokens": 4, "patch_size": 16}, 32),
    ],
)
def test_catalog_models_of_the_hub_load_from_a_folder(tmp_path, model, kind, settings, dim):
    from featbank.backbones import BACKBONES

    folder = save_model(tmp_path / "m", kind, head=kind == "resnet", **settings)
    options = EmbedOptions(model=model, dataset="x", weights=str(folder))
    spec = BACKBONES[model]
    weights = load_weights(spec, options)
    with torch.inference_mode():
        out = spec.build(weights.config, weights.state)(chips(64), layers=[0])
    assert out["mean"].shape == (2, 1, dim) == (2, 1, spec.describe(weights.config).dim)
    assert (["ignored" in note for note in weights.notes] == [True]) == (kind == "resnet")


def test_resnet_gives_the_librarys_pooled_output(tmp_path):
    from transformers import AutoModel

    from featbank.backbones import BACKBONES

    settings = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}
    folder = save_model(tmp_path / "m", "resnet", **settings)
    weights = load_weights(
        BACKBONES["resnet50"], EmbedOptions(model="resnet50", dataset="x", weights=str(folder))
    )
    with torch.inference_mode():
        out = BACKBONES["resnet50"].build(weights.config, weights.state)(chips(64), layers=[0])
        expected = AutoModel.from_pretrained(folder).eval()(chips(64)).pooler_output
    torch.testing.assert_close(out["mean"][:, 0], expected.flatten(1))
