"""Warm start: what is carried over is exact, what is not is told, what does not fit is refused."""

import json

import pytest
import torch
from fake_hub import save_model
from safetensors.torch import save_file

from featbank.backbones import BACKBONES
from featbank.backbones.building.vit_build import build_vit
from featbank.bands import RGB, SENTINEL1, SENTINEL2, Band
from featbank.bank.checkpoints import RECORD, Checkpoint, write_checkpoint
from featbank.errors import ContractError, UsageError, WeightsError
from featbank.sources.first_weights import read_first_weights
from featbank.stages.pretrain.weights.warm_start import warm_started

SPEC = BACKBONES["vit-tiny"]
SIZE = {"dim": 32, "depth": 2, "heads": 2, "mlp_dim": 64, "patch_px": 8, "grid": 4}
CONFIG = {**SPEC.config, **SIZE}


def spread(config, seed=0):
    """A state whose every tensor differs from its neutral start."""
    generator = torch.Generator().manual_seed(seed)
    state = SPEC.initial(config, seed)
    return {n: v + 0.1 * torch.randn(v.shape, generator=generator) for n, v in state.items()}


@pytest.fixture
def source(tmp_path):
    def saved(*, extra=None, **changes):
        save_file({**spread({**CONFIG, **changes}), **(extra or {})}, tmp_path / "w.safetensors")
        return read_first_weights(str(tmp_path / "w.safetensors"))

    return saved


def start(source, *, bands=RGB, inflate="mean", may_resample=False, **changes):
    config = {**CONFIG, "channels": len(bands), **changes}
    fitted = warm_started(
        config, source, bands=bands, inflate=inflate, seed=5, may_resample=may_resample
    )
    return config, fitted


def features(config, state, chips):
    with torch.inference_mode():
        return build_vit(config, state)(chips, layers=[config["depth"] - 1])


def chips(bands=3, side=32):
    return torch.randn(2, bands, side, side, generator=torch.Generator().manual_seed(1))


def test_the_same_shape_is_the_identity(source):
    read = source()
    _, fitted = start(read)
    assert all(torch.equal(fitted.state[name], value) for name, value in read.state.items())
    assert (fitted.notes, fitted.origin) == ((), "w.safetensors")


@pytest.mark.parametrize("bands", [SENTINEL2, SENTINEL1], ids=["13", "2"])
def test_a_grey_chip_has_the_same_features_through_mean_inflation(source, bands):
    read, grey = source(), chips(1)
    config, fitted = start(read, bands=bands)
    before = features(CONFIG, read.state, grey.expand(-1, 3, -1, -1))
    after = features(config, fitted.state, grey.expand(-1, len(bands), -1, -1))
    torch.testing.assert_close(after["cls"], before["cls"], rtol=1e-4, atol=1e-4)


def test_inflation_is_told(source):
    _, fitted = start(source(), bands=SENTINEL1)
    assert fitted.notes == (
        "w.safetensors: the patch embedding is inflated from 3 to 2 bands by mean",
    )


def test_wavelength_inflation_with_the_wavelengths_themselves_is_the_identity(source):
    read = source()
    anonymous = [Band(name=f"b{i}", wavelength_um=b.wavelength_um) for i, b in enumerate(RGB)]
    _, fitted = start(read, bands=anonymous, inflate="wavelength")
    name = "patch_embed.proj.weight"
    assert torch.equal(fitted.state[name], read.state[name])


def test_bands_that_the_weights_know_keep_their_kernels_in_any_order(source):
    read, x = source(), chips()
    config, fitted = start(read, bands=RGB[::-1])
    before, after = features(CONFIG, read.state, x), features(config, fitted.state, x.flip(1))
    torch.testing.assert_close(after["mean"], before["mean"])


def test_three_components_take_the_three_kernels_in_order(source):
    read = source()
    _, fitted = start(read, bands=[Band(name=f"pc{i}") for i in (1, 2, 3)])
    name = "patch_embed.proj.weight"
    assert torch.equal(fitted.state[name], read.state[name])
    assert "red, green, blue are taken for pc1, pc2, pc3" in fitted.notes[0]


def test_bands_outside_the_known_wavelengths_are_told(source):
    _, fitted = start(source(), bands=SENTINEL2[6:10], inflate="wavelength")
    assert "B07, B08, B8A, B09 lie outside its wavelengths" in fitted.notes[1]


def test_bands_without_wavelength_are_refused_for_wavelength(source):
    with pytest.raises(ContractError, match="has no wavelength for pc2; expected centre"):
        start(source(), bands=[RGB[0], Band(name="pc2")], inflate="wavelength")


def test_weights_of_unknown_bands_are_refused_for_wavelength(source):
    with pytest.raises(ContractError, match="no wavelength for any band"):
        start(source(channels=5), bands=SENTINEL2, inflate="wavelength")


def test_another_way_to_inflate_is_refused(source):
    with pytest.raises(UsageError, match="--inflate copy"):
        start(source(), inflate="copy")


def test_another_width_and_depth_are_one_line(source):
    with pytest.raises(WeightsError, match="32 wide, 2 blocks; expected features 64 wide, 3 b"):
        start(source(), **{**SIZE, "dim": 64, "depth": 3})


def test_a_frozen_grid_of_another_size_gives_the_same_features_there(source):
    read, x = source(), chips(side=48)
    config, fitted = start(read, grid=6)
    before, after = features(CONFIG, read.state, x), features(config, fitted.state, x)
    torch.testing.assert_close(after["mean"], before["mean"], rtol=1e-5, atol=1e-5)
    assert "positions are resized from 4 × 4 to 6 × 6 patches" in fitted.notes[0]


def test_another_patch_is_refused_unless_asked_for(source):
    with pytest.raises(WeightsError, match=r"patches of 8 px; expected 16 px .* Pass --patch 8"):
        start(source(), patch_px=16)


def test_a_patch_asked_for_sees_a_chip_grown_as_the_chip(source):
    read = source()
    config, fitted = start(read, patch_px=16, may_resample=True)
    # Each patch grown by itself, which is what resampling its kernel undoes.
    tiles = chips().unfold(2, 8, 8).unfold(3, 8, 8).reshape(-1, 1, 8, 8)
    grown = torch.nn.functional.interpolate(tiles, size=(16, 16), mode="bicubic", antialias=True)
    grown = grown.reshape(2, 3, 4, 4, 16, 16).transpose(3, 4).reshape(2, 3, 64, 64)
    before, after = features(CONFIG, read.state, chips()), features(config, fitted.state, grown)
    torch.testing.assert_close(after["cls"], before["cls"], rtol=1e-3, atol=1e-3)


def test_registers_start_at_random_from_the_seed(source):
    _, fitted = start(source(), registers=4)
    again = start(source(), registers=4)[1]
    registers = fitted.state["register_tokens"]
    assert registers.std() > 0.01
    assert torch.equal(registers, again.state["register_tokens"])
    assert "4 register tokens start at random" in fitted.notes[0]


def test_layer_scale_starts_at_one_and_changes_nothing(source):
    read = source()
    config, fitted = start(read, layer_scale=True)
    before, after = (
        features(c, s, chips()) for c, s in ((CONFIG, read.state), (config, fitted.state))
    )
    assert torch.equal(after["mean"], before["mean"])


@pytest.mark.parametrize("swiglu", [False, True])
def test_layer_scale_that_is_not_wanted_goes_into_the_weights(source, swiglu):
    read = source(layer_scale=True, swiglu=swiglu)
    config, fitted = start(read, swiglu=swiglu)
    before = features({**config, "layer_scale": True}, read.state, chips())
    after = features(config, fitted.state, chips())
    torch.testing.assert_close(after["mean"], before["mean"], rtol=1e-5, atol=1e-5)


def test_gated_layers_for_plain_ones_are_refused(source):
    with pytest.raises(WeightsError, match="has swiglu feed-forward layers; expected mlp"):
        start(source(swiglu=True))


def test_what_is_left_out_is_told(source):
    extra = {"head.weight": torch.zeros(2), "decoder_embed.bias": torch.zeros(2)}
    _, fitted = start(source(extra=extra))
    assert fitted.notes == ("w.safetensors: left out: decoder_embed, head",)


def test_a_half_saved_file_is_refused(source, tmp_path):
    state = {n: v for n, v in spread(CONFIG).items() if n != "blocks.1.norm2.bias"}
    save_file(state, tmp_path / "half.safetensors")
    with pytest.raises(WeightsError, match=r"lacks 1 tensors \(blocks.1.norm2.bias\)"):
        start(read_first_weights(str(tmp_path / "half.safetensors")))


def test_a_file_of_another_kind_is_refused(tmp_path):
    save_file({"conv1.weight": torch.zeros(2)}, tmp_path / "resnet.safetensors")
    with pytest.raises(WeightsError, match="holds no cls_token"):
        read_first_weights(str(tmp_path / "resnet.safetensors"))


@pytest.mark.parametrize("kind", ["vit", "vit_mae", "dinov2", "dinov2_with_registers"])
def test_a_transformers_folder_starts_with_its_own_features(tmp_path, kind):
    from transformers import AutoModel

    settings = {"num_hidden_layers": 2, "patch_size": 8, "image_size": 32}
    ratio = {"mlp_ratio": 2} if "dinov2" in kind else {"layer_norm_eps": 1e-6}
    folder = save_model(tmp_path / "m", kind, **settings, **ratio)
    read = read_first_weights(str(folder))
    shape = {name: read.shape[name] for name in ("registers", "layer_scale")}
    config, fitted = start(read, **shape)
    model = AutoModel.from_pretrained(folder, **({"mask_ratio": 0.0} if "mae" in kind else {}))
    with torch.inference_mode():
        options = {"noise": torch.arange(16).expand(2, -1).float()} if "mae" in kind else {}
        expected = model.eval()(pixel_values=chips(), **options).last_hidden_state[:, 0]
    cls = features(config, fitted.state, chips())["cls"][:, 0]
    torch.testing.assert_close(cls, expected, rtol=1e-5, atol=1e-5)


def test_heads_of_a_folder_are_compared(tmp_path):
    folder = save_model(tmp_path / "m", "vit", num_hidden_layers=2, patch_size=8, image_size=32)
    with pytest.raises(WeightsError, match="has 2 attention heads; expected 4"):
        start(read_first_weights(str(folder)), heads=4)


def written_checkpoint(folder, bands):
    config = {**CONFIG, "channels": len(bands)}
    record = Checkpoint(
        name="mae-vit-tiny-1a2b3c4d",
        config=config,
        bands=tuple(
            {"name": b.name, "wavelength_um": b.wavelength_um, "unit": b.unit} for b in bands
        ),
        image_px=32,
        statistics={
            "method": "dataset",
            "mean": [0.0] * len(bands),
            "std": [1.0] * len(bands),
            "source": "made",
        },
        default_feature="mean",
        recipe={},
        recipe_id="",
        saw=(),
        steps=1,
        is_finished=True,
        origin="at random",
        licence="CC-BY-4.0",
    )
    write_checkpoint(folder, record, spread(config), {})
    return folder


def test_bands_of_a_checkpoint_travel_by_name(tmp_path):
    read = read_first_weights(str(written_checkpoint(tmp_path / "c", SENTINEL2)))
    config, fitted = start(read, bands=SENTINEL2[::-1])
    before = features({**config}, read.state, chips(13))
    after = features(config, fitted.state, chips(13).flip(1))
    torch.testing.assert_close(after["cls"], before["cls"], rtol=1e-4, atol=1e-4)
    assert (fitted.origin, fitted.licence) == ("mae-vit-tiny-1a2b3c4d", "CC-BY-4.0")


def test_a_checkpoints_settings_are_kept(tmp_path):
    folder = written_checkpoint(tmp_path / "c", SENTINEL1)
    read = read_first_weights(str(folder))
    assert (read.heads, [b.name for b in read.bands]) == (2, ["VV", "VH"])
    assert json.loads((folder / RECORD).read_text())["licence"] == read.licence


def test_timm_names_of_registers_are_read(tmp_path):
    config = {**CONFIG, "registers": 3}
    state = spread(config)
    timm = {**state, "reg_token": state["register_tokens"], "pos_embed": state["pos_embed"][:, 1:]}
    timm["cls_token"] = state["cls_token"] + state["pos_embed"][:, :1]
    del timm["register_tokens"]
    save_file({n: v.contiguous() for n, v in timm.items()}, tmp_path / "timm.safetensors")
    _, fitted = start(read_first_weights(str(tmp_path / "timm.safetensors")), registers=3)
    before, after = (features(config, s, chips()) for s in (state, fitted.state))
    torch.testing.assert_close(after["cls"], before["cls"], rtol=1e-5, atol=1e-5)


def test_the_trained_tiny_vit_starts_for_thirteen_bands(tiny_weights):
    config = {**SPEC.config, "channels": 13, "grid": 7}
    fitted = warm_started(
        config, read_first_weights(str(tiny_weights)), bands=SENTINEL2, inflate="mean", seed=0
    )
    assert fitted.state["patch_embed.proj.weight"].shape == (192, 13, 16, 16)
    assert "left out: head" in " ".join(fitted.notes)
