import pytest
import torch
from made_checkpoint import tiny_config

from featbank.backbones.building.vit_build import build_vit, initial_vit
from featbank.layers.drop_path import set_drop_path
from featbank.stages.finetune.network import FinetuneNetwork, choose_trained


@pytest.fixture
def network():
    config = tiny_config(depth=3, registers=0)
    encoder = build_vit(config, initial_vit(config, 0))
    return FinetuneNetwork(encoder, ("cls", "mean"), 5, seed=1)


def learning(network):
    return {name for name, value in network.named_parameters() if value.requires_grad}


def test_logits_are_the_head_on_cls_and_the_mean_patch_token(network):
    x = torch.randn(4, 3, 24, 24, generator=torch.Generator().manual_seed(2))
    tokens = network.encoder.encode(x)
    joined = torch.cat([tokens[:, 0], tokens[:, 1:].mean(dim=1)], dim=1)
    expected = joined @ network.head.weight.T + network.head.bias
    assert torch.allclose(network(x), expected, atol=1e-6)


def test_all_of_a_whole_network_learns(network):
    choose_trained(network, 3)
    assert learning(network) == {name for name, _ in network.named_parameters()}


def test_the_head_alone_learns_on_a_frozen_network(network):
    choose_trained(network, 0)
    assert learning(network) == {"head.weight", "head.bias"}


def test_the_last_blocks_learn_with_the_norm_and_the_head(network):
    choose_trained(network, 2)
    parts = {name.removeprefix("encoder.").split(".norm")[0].split(".attn")[0].split(".mlp")[0]
             for name in learning(network)}  # fmt: skip
    assert parts == {"blocks.1", "blocks.2", "norm.weight", "norm.bias", "head.weight", "head.bias"}


def test_every_parameter_that_learns_gets_a_gradient(network):
    choose_trained(network, 3)
    network(torch.randn(2, 3, 24, 24)).square().sum().backward()
    assert not [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]


def test_drop_path_grows_over_the_blocks(network):
    set_drop_path(network.encoder, 0.3)
    assert [block.drop_path for block in network.encoder.blocks] == pytest.approx([0, 0.15, 0.3])


def test_heads_of_two_seeds_differ(network):
    other = FinetuneNetwork(network.encoder, ("cls", "mean"), 5, seed=2)
    assert not torch.equal(other.head.weight, network.head.weight)
