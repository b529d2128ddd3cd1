import pytest
import torch

from featbank.layers.mae_decoder import DecoderShape, MaeDecoder, own_names, published_names
from featbank.layers.vit_config import VitConfig

ENCODER = VitConfig(dim=16, depth=1, heads=2, patch_px=4, channels=5, grid=3, mlp_dim=32)
SHAPE = DecoderShape(width=12, depth=2, heads=3)


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    made = MaeDecoder(ENCODER, SHAPE, 3)
    torch.nn.init.normal_(made.mask_token)
    return made


def shuffled(seed=0):
    return torch.rand(2, 9, generator=torch.Generator().manual_seed(seed)).argsort(dim=1)


def test_tokens_are_put_back_in_their_places(decoder):
    order = shuffled()
    seen = torch.randn(2, 4, 12)
    placed = decoder.in_place(seen, order.argsort(dim=1))
    for chip in range(2):
        for patch in range(9):
            where = order[chip].tolist().index(patch)
            expected = seen[chip, where] if where < 4 else decoder.mask_token[0, 0]
            assert torch.equal(placed[chip, patch], expected)


def test_the_order_of_the_seen_does_not_matter(decoder):
    order, other = shuffled(), shuffled().clone()
    other[:, :4] = other[:, :4].flip(1)
    seen = torch.randn(2, 5, 16)
    turned = torch.cat([seen[:, :1], seen[:, 1:].flip(1)], dim=1)
    a, b = decoder(seen, order.argsort(dim=1)), decoder(turned, other.argsort(dim=1))
    torch.testing.assert_close(a, b)


def test_it_predicts_every_pixel_of_every_band(decoder):
    out = decoder(torch.randn(2, 5, 16), shuffled().argsort(dim=1))
    assert out.shape == (2, 9, 4 * 4 * 5)


def test_hidden_patches_are_told_apart_by_their_place(decoder):
    out = decoder(torch.randn(1, 2, 16), torch.arange(9).unsqueeze(0))
    assert (out[0, 5] - out[0, 6]).abs().max() > 1e-3


def test_published_names_are_those_that_a_weights_file_reader_leaves_out(decoder):
    names = published_names(decoder.state_dict())
    assert {"mask_token", "decoder_embed.weight", "decoder_blocks.1.attn.qkv.bias"} < set(names)
    assert all(name == "mask_token" or name.startswith("decoder_") for name in names)


def test_names_go_there_and_back(decoder):
    state = decoder.state_dict()
    assert set(own_names(published_names(state))) == set(state)
