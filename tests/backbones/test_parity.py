"""DOFA and DINOv2 agree with their reference implementations, through build(config, state)."""

import json
from dataclasses import dataclass

import pytest
import torch
from safetensors import safe_open

from featbank.backbones import BACKBONES, WeightsFile
from featbank.bands import Band

# float32 on a CPU, relative to the largest absolute value of the tensor.
TOLERANCE = 1e-5
SMALL = {"dim": 64, "depth": 3, "heads": 4}


@dataclass
class Golden:
    config: dict
    tensors: dict

    @property
    def state(self):
        names = [name for name in self.tensors if name.startswith("state.")]
        return {name.removeprefix("state."): self.tensors[name] for name in names}


def golden(shared, name):
    with safe_open(shared / "golden" / f"{name}.safetensors", "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
        return Golden(json.loads(file.metadata()["config"]), tensors)


def run(spec, config, state, x, layers=(2,)):
    with torch.inference_mode():
        return spec.build(config, state)(x, layers=list(layers), with_tokens=True)


def assert_close(found, expected):
    assert float((found - expected).abs().max() / expected.abs().max()) < TOLERANCE


def dofa(shared, name, sensor, reshape="new"):
    """Features of a small DOFA network on one sensor's chips, and the reference's tensors."""
    spec = BACKBONES["dofa-v2-base" if "v2" in name else "dofa"]
    vectors = golden(shared, name)
    file = WeightsFile(name=name, answers={"reshape": reshape})
    loaded = spec.read({**spec.config, **SMALL, "mlp_dim": 256}, vectors.state, file)
    # The vectors were made with one wavelength for both polarisations, as the v2 checkpoint has.
    waves = vectors.tensors[f"{sensor}.wavelengths_um"].tolist()
    config = {**loaded.config, "channels": len(waves), "wavelengths_um": tuple(waves)}
    out = run(spec, config, loaded.state, vectors.tensors[f"{sensor}.input"], (0, 1, 2))
    return out, vectors.tensors


@pytest.mark.parametrize("sensor", ["rgb", "s1", "s2"])
def test_dofa_mean_agrees(shared, sensor):
    out, expected = dofa(shared, "dofa_pool", sensor)
    assert_close(out["mean"][:, -1], expected[f"{sensor}.features"])


@pytest.mark.parametrize("sensor", ["rgb", "s1", "s2"])
def test_dofa_cls_agrees(shared, sensor):
    out, expected = dofa(shared, "dofa_cls", sensor)
    assert_close(out["cls"][:, -1], expected[f"{sensor}.features"])


@pytest.mark.parametrize("name", ["dofa_pool", "dofa_cls"])
@pytest.mark.parametrize("sensor", ["rgb", "s1", "s2"])
def test_dofa_patch_tokens_agree(shared, name, sensor):
    out, expected = dofa(shared, name, sensor)
    tokens = out["tokens"][:, -1].flatten(1, 2)
    assert_close(tokens, expected[f"{sensor}.tokens_before_norm"][:, 1:])


@pytest.mark.parametrize("sensor", ["rgb", "s1"])
@pytest.mark.parametrize("block", [0, 1, 2])
def test_dofa_v2_blocks_agree(shared, sensor, block):
    out, expected = dofa(shared, "dofa_v2", sensor)
    assert_close(out["tokens"][:, block].flatten(1, 2), expected[f"{sensor}.block{block}"][:, 1:])


@pytest.mark.parametrize("sensor", ["rgb", "s1"])
def test_dofa_v2_pooled_features_agree(shared, sensor):
    out, expected = dofa(shared, "dofa_v2", sensor)
    normed = expected[f"{sensor}.tokens_normed"]
    assert_close(out["cls"][:, -1], normed[:, 0])
    assert_close(out["mean"][:, -1], normed[:, 1:].mean(dim=1))


def test_the_old_reshape_is_another_network(shared):
    old, expected = dofa(shared, "dofa_pool", "s2", reshape="old")
    difference = (old["mean"][:, -1] - expected["s2.features"]).abs().max()
    assert difference > 100 * TOLERANCE * expected["s2.features"].abs().max()


def dinov2(shared, name, size):
    vectors = golden(shared, name)
    spec = BACKBONES["dinov2-small-reg" if "reg" in name else "dinov2-small"]
    config = {**spec.config, **SMALL, "swiglu": "swiglu" in name, "mlp_dim": 256}
    loaded = spec.read(config, vectors.state, WeightsFile(name=name))
    out = run(spec, loaded.config, loaded.state, vectors.tensors[f"{size}.input"], (1, 2))
    return out, vectors.tensors, spec.build(loaded.config, loaded.state)


VARIANTS = ["dinov2_vit14", "dinov2_vit14_reg4", "dinov2_vit14_swiglu"]
SIZES = ["native", "larger", "rect"]


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("size", SIZES)
def test_dinov2_cls_agrees_on_both_last_blocks(shared, name, size):
    out, expected, _ = dinov2(shared, name, size)
    assert_close(out["cls"][:, 1], expected[f"{size}.cls"])
    assert_close(out["cls"][:, 0], expected[f"{size}.layer-2.cls"])
    assert_close(out["cls"][:, 1], expected[f"{size}.layer-1.cls"])


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("size", SIZES)
def test_dinov2_patch_tokens_agree_once_normed(shared, name, size):
    out, expected, network = dinov2(shared, name, size)
    with torch.inference_mode():
        for row, layer in enumerate(("layer-2", "layer-1")):
            # (B, gy, gx, D) -> (B, D, gy, gx)
            normed = network.norm(out["tokens"][:, row]).permute(0, 3, 1, 2)
            assert_close(normed, expected[f"{size}.{layer}.patch"])


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("size", SIZES)
def test_dinov2_mean_is_that_of_the_normed_patch_tokens(shared, name, size):
    out, expected, _ = dinov2(shared, name, size)
    assert_close(out["mean"][:, 1], expected[f"{size}.patch"].mean(dim=1))


@pytest.mark.parametrize("size", SIZES)
def test_dinov2_registers_agree(shared, size):
    out, expected, _ = dinov2(shared, "dinov2_vit14_reg4", size)
    assert_close(out["registers"][:, 1], expected[f"{size}.registers"])


def test_equal_wavelengths_give_equal_kernels(shared):
    spec = BACKBONES["dofa"]
    vectors = golden(shared, "dofa_pool")
    file = WeightsFile(name="dofa", answers={"reshape": "new"})
    loaded = spec.read({**spec.config, **SMALL, "mlp_dim": 256}, vectors.state, file)
    config = spec.bind(loaded.config, [Band(name="VV", unit="dB"), Band(name="VH", unit="dB")])
    kernel = spec.build(config, loaded.state).patch_embed.proj.weight
    torch.testing.assert_close(kernel[:, 0], kernel[:, 1], rtol=0, atol=1e-9)
