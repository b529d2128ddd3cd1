import pytest
import torch
from made_checkpoint import tiny_config

from featbank.backbones.building.vit_build import build_vit, initial_vit
from featbank.errors import UsageError
from featbank.stages.finetune.lora import add_adapters, merged_state


@pytest.fixture
def adapted():
    encoder = build_vit(tiny_config(), initial_vit(tiny_config(), 0))
    encoder.requires_grad_(False)
    torch.manual_seed(0)
    add_adapters(encoder, 2)
    return encoder


@pytest.fixture
def moved(adapted):
    with torch.no_grad():
        for name, value in adapted.named_parameters():
            if "lora_" in name:
                value.add_(torch.randn(value.shape, generator=torch.Generator().manual_seed(3)))
    return adapted


def test_the_adapters_of_every_block_alone_learn(adapted):
    names = [name for name, value in adapted.named_parameters() if value.requires_grad]
    assert all("lora_" in name for name in names)
    # Two matrices on each of two layers of two blocks.
    assert len(names) == 8


def test_fresh_adapters_change_nothing(adapted):
    x = torch.randn(2, 3, 24, 24)
    plain = build_vit(tiny_config(), initial_vit(tiny_config(), 0))
    assert torch.allclose(adapted.encode(x), plain.encode(x), atol=1e-6)


def test_merged_weights_give_the_adapted_networks_tokens(moved):
    x = torch.randn(2, 3, 24, 24)
    expected = moved.encode(x)
    plain = build_vit(tiny_config(), merged_state(moved))
    assert torch.allclose(plain.encode(x), expected, atol=1e-4)


def test_a_merged_state_has_the_plain_networks_names(moved):
    assert set(merged_state(moved)) == set(initial_vit(tiny_config(), 0))


def test_a_state_without_adapters_is_its_own(adapted):
    encoder = build_vit(tiny_config(), initial_vit(tiny_config(), 4))
    state = initial_vit(tiny_config(), 4)
    assert all(torch.equal(value, state[name]) for name, value in merged_state(encoder).items())


def test_without_peft_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(UsageError, match=r"featbank\[lora\]"):
        add_adapters(build_vit(tiny_config(), initial_vit(tiny_config(), 0)), 2)
