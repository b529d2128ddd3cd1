"""Weights held in half precision give the very bits that autocast gives."""

import pytest
import torch

from featbank.layers.half_weights import hold_half
from tests.contracts.test_backbone_contract import SMALL, make

# The library's own networks stay as they are.
OTHERS = {"dinov3-small", "resnet50"}


def features(name, encoder, spec, config):
    side = 56 if spec.image_size else 24
    side = side if side % (spec.describe(config).patch_px or 1) == 0 else 64
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    last = spec.describe(config).depth - 1
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        return encoder(x, layers=[last], with_tokens=True)


@pytest.mark.parametrize("name", SMALL)
def test_features_are_the_same_bits(name):
    spec, config, encoder = make.__wrapped__(name)
    before = features(name, encoder, spec, config)
    hold_half(encoder)
    after = features(name, encoder, spec, config)
    assert all(torch.equal(after[key], before[key]) for key in before)


@pytest.mark.parametrize("name", [n for n in SMALL if n not in {*OTHERS, "imagestats", "rcf"}])
def test_its_matrices_are_held_in_half(name):
    encoder = make.__wrapped__(name)[2]
    assert hold_half(encoder) >= 10
    assert encoder.blocks[0].attn.qkv.weight.dtype == torch.bfloat16


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_a_network_of_another_library_is_left_as_it_is(name):
    assert hold_half(make.__wrapped__(name)[2]) == 0
