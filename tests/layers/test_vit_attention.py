"""Attention maps are those that the block itself computes with."""

import math

import pytest
import torch
from torch import nn

from featbank.errors import ContractError
from featbank.layers.passes import Passes, attention_of
from featbank.layers.pooled import Pooled
from featbank.layers.vit import VisionTransformer, random_state
from featbank.layers.vit_config import VitConfig

CONFIG = VitConfig(
    dim=32, depth=3, heads=4, patch_px=4, channels=3, grid=3, mlp_dim=64, registers=2
)
PREFIX = 3


def make(config=CONFIG, seed=0):
    """A network whose attention is far from even."""
    vit = VisionTransformer(config)
    vit.load_state_dict(random_state(config, seed))
    with torch.no_grad():
        for value in vit.parameters():
            value.add_(torch.randn(value.shape, generator=torch.Generator().manual_seed(1)) * 0.2)
    return vit.eval()


@pytest.fixture
def network():
    return make()


@pytest.fixture
def chips():
    """Wider than high: 2 × 5 patches."""
    return torch.randn(2, 3, 8, 20, generator=torch.Generator().manual_seed(2))


@torch.inference_mode()
def block_input(vit, x, layer):
    tokens = vit._embed(vit.patch_embed(x))
    for block in vit.blocks[:layer]:
        tokens = block(tokens)
    return tokens


@torch.inference_mode()
def test_rows_sum_to_one_over_all_tokens(network, chips):
    tokens = block_input(network, chips, 1)
    rows = network.blocks[1].attention(tokens, PREFIX)
    assert rows.shape == (2, 4, PREFIX, PREFIX + 10)
    torch.testing.assert_close(rows.sum(dim=-1), torch.ones(2, 4, PREFIX))


@torch.inference_mode()
def test_the_block_gives_what_its_explicit_attention_gives(network, chips):
    tokens, block = block_input(network, chips, 2), network.blocks[2]
    rows = block.attention(tokens, tokens.shape[1])
    value = block.attn.qkv(block.norm1(tokens))[..., 64:].reshape(2, -1, 4, 8).transpose(1, 2)
    mixed = block.attn.proj((rows @ value).transpose(1, 2).reshape(tokens.shape))
    middle = tokens + mixed
    expected = middle + block.mlp(block.norm2(middle))
    torch.testing.assert_close(block(tokens), expected, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("layer", [0, 2])
def test_maps_equal_a_plain_reference(network, chips, layer):
    tokens, block = block_input(network, chips, layer), network.blocks[layer]
    qkv = block.attn.qkv(block.norm1(tokens))[1].double()
    maps = network.attention(chips, layer=layer)
    for head in range(4):
        query, key = (qkv[:, k * 32 + head * 8 : k * 32 + head * 8 + 8] for k in (0, 1))
        for row in range(PREFIX):
            scores = torch.stack([query[row] @ one / math.sqrt(8) for one in key])
            expected = (scores.exp() / scores.exp().sum())[PREFIX:].reshape(2, 5)
            torch.testing.assert_close(maps[1, head, row].double(), expected, rtol=1e-4, atol=1e-6)


@torch.inference_mode()
def test_what_goes_to_cls_and_registers_is_left_out(network, chips):
    totals = network.attention(chips, layer=2).sum(dim=(-2, -1))
    assert totals.shape == (2, 4, PREFIX)
    assert ((totals > 0) & (totals < 1)).all()


@torch.inference_mode()
def test_several_passes_give_their_heads_one_after_another(chips):
    first = make(VitConfig(**{**vars(CONFIG), "channels": 1}))
    second = make(VitConfig(**{**vars(CONFIG), "channels": 2}), seed=5)
    maps = Passes([first, second], [[2], [0, 1]]).attention(chips, layer=1)
    torch.testing.assert_close(maps[:, :4], first.attention(chips[:, [2]], layer=1))
    torch.testing.assert_close(maps[:, 4:], second.attention(chips[:, [0, 1]], layer=1))


def test_a_network_without_attention_says_so(chips):
    with pytest.raises(ContractError, match="no attention; expected a vision transformer"):
        attention_of(Pooled(nn.Flatten()), chips, 0)
    with pytest.raises(ContractError, match="no attention"):
        Passes([Pooled(nn.Flatten())], [[0]]).attention(chips, layer=0)
