import pytest
import torch

from featbank.backbones import BACKBONES, WeightsFile
from featbank.bands import RGB, SENTINEL1, SENTINEL2, WHU_OHS, Band
from featbank.errors import ContractError, WeightsError

SMALL = {"dim": 32, "depth": 1, "heads": 2, "mlp_dim": 128}
FILE = WeightsFile(name="w.pth", sha256=BACKBONES["dofa"].remote.checksum.removeprefix("sha256:"))


def spec_of(version):
    return BACKBONES["dofa" if version == 1 else "dofa-v2-base"]


def published(version, **changes):
    """A state as the publisher's file of a version holds it."""
    spec = spec_of(version)
    config = {**spec.config, **SMALL, **changes}
    state = dict(spec.initial(config, 0))
    if version == 1:
        return {name: v for name, v in state.items() if not name.startswith("fc_norm")}
    trunk = {n if n.startswith("patch_embed") else f"model.{n}": v for n, v in state.items()}
    return trunk | {"norm.weight": torch.ones(32), "norm.bias": torch.zeros(32)}


def read(version, state, file=FILE):
    spec = spec_of(version)
    return spec.read({**spec.config, **SMALL}, state, file)


@pytest.mark.parametrize("version", [1, 2])
def test_a_published_file_loads_whole(version):
    loaded = read(version, published(version))
    spec_of(version).build(loaded.config, loaded.state)


def test_a_stripped_file_has_no_cls_and_says_so():
    loaded = read(1, published(1))
    assert "cls" not in spec_of(1).describe(loaded.config).features
    assert "no CLS" in loaded.notes[0]


def test_an_original_file_has_cls():
    extra = {"mask_token": torch.zeros(1), "projector.weight": torch.zeros(1)}
    loaded = read(1, published(1, has_norm=True) | extra)
    assert "cls" in spec_of(1).describe(loaded.config).features


@pytest.mark.parametrize(("model", "other"), [(1, 2), (2, 1)])
def test_a_file_of_the_other_version_names_the_model_that_fits(model, other):
    right = "--model dofa" if other == 1 else "--model dofa-v2-base"
    with pytest.raises(WeightsError, match=f"those of DOFA v{other}; expected.* {right}"):
        read(model, published(other))


def test_an_unknown_hash_asks_for_the_reshape():
    with pytest.raises(WeightsError, match=r"hash 00000000 is unknown.*--dofa-reshape new"):
        read(1, published(1), WeightsFile(name="w.pth", sha256="0" * 64))


@pytest.mark.parametrize("answer", ["new", "old"])
def test_the_users_word_enters_the_config(answer):
    file = WeightsFile(name="w.pth", sha256="0" * 64, answers={"reshape": answer})
    assert read(1, published(1), file).config["reshape"] == answer


def test_a_plain_vit_is_no_dofa():
    vit = BACKBONES["vit-tiny"]
    with pytest.raises(WeightsError, match=r"lacks patch_embed.weight_generator"):
        read(1, vit.initial(vit.config, 0))


@pytest.mark.parametrize(("version", "wave"), [(1, 3.75), (2, 5.405)])
def test_the_radar_slot_belongs_to_the_checkpoint(version, wave):
    spec = spec_of(version)
    assert spec.bind(spec.config, SENTINEL1)["wavelengths_um"] == (wave, wave)


def test_optical_bands_take_the_wavelengths_of_training():
    spec = spec_of(1)
    waves = dict(
        zip(
            [band.name for band in SENTINEL2],
            spec.bind(spec.config, SENTINEL2)["wavelengths_um"],
            strict=True,
        )
    )
    order = ["B04", "B03", "B02", "B05", "B06", "B07", "B08", "B11", "B12"]
    assert [waves[b] for b in order] == [0.665, 0.56, 0.49, 0.705, 0.74, 0.783, 0.842, 1.61, 2.19]


def test_rgb_takes_the_wavelengths_of_training():
    spec = spec_of(1)
    assert spec.bind(spec.config, RGB)["wavelengths_um"] == (0.665, 0.56, 0.49)


def test_other_sensors_take_their_own_wavelengths():
    spec = spec_of(1)
    waves = spec.bind(spec.config, WHU_OHS)["wavelengths_um"]
    assert waves == tuple(band.wavelength_um for band in WHU_OHS)


@pytest.mark.parametrize("wave", [None, 10.9])
def test_a_band_without_a_usable_wavelength_is_named(wave):
    spec = spec_of(1)
    with pytest.raises(ContractError, match="band TIR: its wavelength is .*--wavelengths"):
        spec.bind(spec.config, [Band(name="TIR", wavelength_um=wave)])


def features(reshape, order):
    """Features of five bands given in some order, wavelengths moving along."""
    spec = spec_of(1)
    config = {**spec.config, **SMALL, "reshape": reshape, "channels": 5}
    state = spec.initial(config, 0)
    waves = [0.45, 0.56, 0.7, 1.6, 2.2]
    config["wavelengths_um"] = tuple(waves[i] for i in order)
    x = torch.randn(2, 5, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return spec.build(config, state)(x[:, order], layers=[0])["mean"]


def test_the_new_reshape_does_not_see_the_order_of_bands():
    torch.testing.assert_close(
        features("new", [3, 0, 4, 1, 2]), features("new", [0, 1, 2, 3, 4]), rtol=1e-4, atol=1e-5
    )


def test_the_old_reshape_does():
    difference = features("old", [3, 0, 4, 1, 2]) - features("old", [0, 1, 2, 3, 4])
    assert difference.abs().max() > 1e-3


def test_positions_are_interpolated_off_the_native_size():
    spec = spec_of(1)
    config = {**spec.config, **SMALL}
    network = spec.build(config, spec.initial(config, 0))
    with torch.inference_mode():
        out = network(torch.randn(1, 3, 128, 128), layers=[0], with_tokens=True)
    assert out["tokens"].shape == (1, 1, 8, 8, 32)


def test_parameters_are_counted_exactly():
    spec = spec_of(1)
    config = {**spec.config, **SMALL}
    count = sum(value.numel() for value in spec.initial(config, 0).values())
    assert spec.describe(config).parameters == count
