import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from featbank.backbones import BACKBONES, WeightsFile
from featbank.backbones.building.weights import read_state
from featbank.errors import MissingPathError, WeightsError

SPEC = BACKBONES["vit-tiny"]


@pytest.fixture(scope="module")
def state():
    return dict(SPEC.initial({**SPEC.config, "channels": 4}, 0))


def read(state):
    loaded = SPEC.read(SPEC.config, state, WeightsFile(name="w.pth"))
    return loaded.config, loaded.state


def test_channels_are_read_from_the_file(state):
    assert read(state)[0]["channels"] == 4


def test_patch_and_grid_are_read_from_the_file():
    small = {**SPEC.config, "patch_px": 8, "grid": 28}
    assert read(SPEC.initial(small, 0))[0] | {} == small


def test_parameters_are_counted_exactly(state):
    config, kept = read(state)
    count = sum(value.numel() for value in kept.values())
    assert SPEC.describe(config).parameters == count


def test_heads_and_decoders_are_ignored(state):
    extra = {"head.weight": torch.zeros(2), "decoder_embed.weight": torch.zeros(2)}
    extra |= {"mask_token": torch.zeros(2), "decoder_pos_embed": torch.zeros(2)}
    assert set(read(state | extra)[1]) == set(state)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: {"model": s},
        lambda s: {"teacher": {f"module.backbone.{k}": v for k, v in s.items()}, "epoch": 3},
        lambda s: {"state_dict": {f"encoder.{k}": v for k, v in s.items()}},
    ],
    ids=["mae", "dino", "lightning"],
)
def test_training_checkpoints_are_unwrapped(state, wrap, tmp_path):
    torch.save(wrap(state), tmp_path / "w.pth")
    assert set(read(read_state(tmp_path / "w.pth"))[1]) == set(state)


def test_safetensors_and_pth_give_the_same(state, tmp_path):
    save_file(state, tmp_path / "w.safetensors")
    torch.save(state, tmp_path / "w.pth")
    a, b = read_state(tmp_path / "w.safetensors"), read_state(tmp_path / "w.pth")
    assert all(torch.equal(a[name], b[name]) for name in state)


def test_a_missing_tensor_is_named(state):
    short = {name: value for name, value in state.items() if name != "norm.bias"}
    with pytest.raises(WeightsError, match=r"lacks 1 tensors \(norm.bias\)"):
        read(short)


def test_an_unknown_tensor_is_named(state):
    with pytest.raises(WeightsError, match=r"1 others \(surprise\)"):
        read(state | {"surprise": torch.zeros(1)})


def test_another_width_names_the_model_that_fits():
    small = BACKBONES["vit-small"]
    with pytest.raises(WeightsError, match="Pass --model vit-small"):
        read(small.initial(small.config, 0))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingPathError, match="no such file"):
        read_state(tmp_path / "w.pth")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_text_file_is_no_weights_file(tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    path.write_text("not weights at all")
    with pytest.raises(WeightsError, match="does not load"):
        read_state(path)


class Harmful:
    def __reduce__(self):
        return (exec, ("raise SystemExit('pickle ran code')",))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_that_runs_code_is_refused(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(WeightsError, match="does not load"):
        read_state(path)


def test_the_trained_tiny_vit_loads_whole(tiny_weights):
    config, state = read(read_state(tiny_weights))
    assert (config["channels"], config["grid"]) == (3, 14)
    assert len(state) == sum("head." not in name for name in load_file(tiny_weights))
