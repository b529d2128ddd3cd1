import pytest
import torch

from featbank.backbones import BACKBONES, WeightsFile
from featbank.errors import WeightsError

FILE = WeightsFile(name="w.pth")
NAMES = ["dinov2-small", "dinov2-small-reg"]


def state_of(name):
    spec = BACKBONES[name]
    return dict(spec.initial(spec.config, 0))


def read(name, state, file=FILE):
    return BACKBONES[name].read(BACKBONES[name].config, state, file)


@pytest.mark.parametrize("name", NAMES)
def test_the_original_file_loads_whole(name):
    state = state_of(name)
    loaded = read(name, state | {"mask_token": torch.zeros(1, 384)})
    assert set(loaded.state) == set(state)
    assert loaded.config == BACKBONES[name].config


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_counted_exactly(name):
    count = sum(value.numel() for value in state_of(name).values())
    assert BACKBONES[name].describe(BACKBONES[name].config).parameters == count


def test_the_giant_is_gated_and_as_wide_as_published():
    config = BACKBONES["dinov2-giant"].config
    # SwiGLU hidden width of ViT-g in facebookresearch/dinov2: 4096.
    assert (config["swiglu"], config["mlp_dim"], config["depth"]) == (True, 4096, 40)


@pytest.mark.parametrize(
    ("model", "file", "hint"),
    [("dinov2-small", "dinov2-small-reg", "ending in -reg"), (*NAMES[::-1], "without -reg")],
)
def test_registers_must_be_those_of_the_model(model, file, hint):
    with pytest.raises(WeightsError, match=f"register tokens; expected .*{hint}"):
        read(model, state_of(file))


def test_another_width_names_the_model_that_fits():
    state = state_of("dinov2-small")
    with pytest.raises(WeightsError, match="384 wide; expected 768.*--model dinov2-small"):
        read("dinov2-base", state)


def test_a_query_without_its_key_is_named():
    state = {"embeddings.cls_token": torch.zeros(1, 1, 384)}
    state |= {"encoder.layer.0.attention.attention.query.weight": torch.zeros(384, 384)}
    with pytest.raises(WeightsError, match=r"'blocks.0.attn.qkv.weight' has only query"):
        read("dinov2-small", state)


@pytest.mark.parametrize("name", ["dinov2-base-imagenet1k-1-layer", "dinov3-large-sat", "resnet50"])
def test_models_of_the_hub_name_their_id(name):
    assert "/" in BACKBONES[name].hub_id


def test_dinov3_says_that_it_is_licensed_and_has_statistics_of_its_own():
    spec = BACKBONES["dinov3-large-sat"]
    assert "DINOv3 License" in spec.licence
    assert spec.normalise == "sat493m"
