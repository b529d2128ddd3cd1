import math

import pytest
import torch
from torch.nn import functional

from featbank.layers.vit import VisionTransformer, random_state
from featbank.layers.vit_config import VitConfig

CONFIG = VitConfig(dim=32, depth=3, heads=4, patch_px=4, channels=5, grid=3, mlp_dim=64)


@pytest.fixture
def network():
    vit = VisionTransformer(CONFIG)
    vit.load_state_dict(random_state(CONFIG, 0))
    with torch.no_grad():
        for value in vit.parameters():
            value.add_(torch.randn(value.shape, generator=torch.Generator().manual_seed(1)) * 0.1)
    return vit.eval()


@pytest.fixture
def chips():
    return torch.randn(2, 5, 12, 12, generator=torch.Generator().manual_seed(2))


def reference(vit, chip, layer):
    """One chip through the network by plain loops over heads and tokens."""
    state = {name: value.double() for name, value in vit.state_dict().items()}
    d, heads, patch = CONFIG.dim, CONFIG.heads, CONFIG.patch_px
    weight = state["patch_embed.proj.weight"].reshape(d, -1)
    tokens = [state["cls_token"][0, 0]]
    for y in range(0, chip.shape[1], patch):
        for x in range(0, chip.shape[2], patch):
            cut = chip[:, y : y + patch, x : x + patch].double().reshape(-1)
            tokens.append(weight @ cut + state["patch_embed.proj.bias"])
    h = torch.stack(tokens) + state["pos_embed"][0]
    for i in range(layer + 1):
        s = {k.removeprefix(f"blocks.{i}."): v for k, v in state.items() if f"blocks.{i}." in k}
        n = functional.layer_norm(h, (d,), s["norm1.weight"], s["norm1.bias"], 1e-6)
        qkv = n @ s["attn.qkv.weight"].T + s["attn.qkv.bias"]
        outs = []
        for head in range(heads):
            cut = slice(head * d // heads, (head + 1) * d // heads)
            q, k, v = qkv[:, :d][:, cut], qkv[:, d : 2 * d][:, cut], qkv[:, 2 * d :][:, cut]
            outs.append(torch.softmax(q @ k.T / math.sqrt(d // heads), dim=1) @ v)
        h = h + torch.cat(outs, dim=1) @ s["attn.proj.weight"].T + s["attn.proj.bias"]
        n = functional.layer_norm(h, (d,), s["norm2.weight"], s["norm2.bias"], 1e-6)
        m = n @ s["mlp.fc1.weight"].T + s["mlp.fc1.bias"]
        m = m * 0.5 * (1 + torch.erf(m / math.sqrt(2)))
        h = h + m @ s["mlp.fc2.weight"].T + s["mlp.fc2.bias"]
    normed = functional.layer_norm(h, (d,), state["norm.weight"], state["norm.bias"], 1e-6)
    return h, normed


@pytest.mark.parametrize("layer", [0, 2])
def test_features_equal_a_plain_reference(network, chips, layer):
    with torch.inference_mode():
        out = network(chips, layers=[layer], with_tokens=True)
    raw, normed = reference(network, chips[1], layer)
    assert torch.allclose(out["cls"][1, 0].double(), normed[0], atol=1e-5)
    assert torch.allclose(out["mean"][1, 0].double(), normed[1:].mean(0), atol=1e-5)
    assert torch.allclose(out["mean_raw"][1, 0].double(), raw[1:].mean(0), atol=1e-5)
    assert torch.allclose(out["tokens"][1, 0].reshape(9, -1).double(), raw[1:], atol=1e-5)


def test_layers_are_stacked_in_ascending_order(network, chips):
    with torch.inference_mode():
        both = network(chips, layers=[0, 2])["cls"]
        last = network(chips, layers=[2])["cls"]
    assert torch.equal(both[:, 1:], last)


def test_positions_on_the_trained_grid_are_untouched(network):
    assert torch.equal(network.positions((3, 3)), network.pos_embed[:, 1:])


def test_positions_off_the_trained_grid_keep_rows_and_columns_apart(network):
    with torch.no_grad():
        ramp = torch.arange(9.0).reshape(3, 3)
        network.pos_embed[0, 1:] = ramp.reshape(9, 1)
    wide = network.positions((3, 6))[0, :, 0].reshape(3, 6)
    assert (wide.diff(dim=1) > 0).all()
    assert torch.allclose(wide.mean(dim=1), ramp.mean(dim=1), atol=0.1)


def test_other_sizes_than_the_trained_one_run(network):
    with torch.inference_mode():
        out = network(torch.randn(1, 5, 20, 8), layers=[2], with_tokens=True)
    assert out["tokens"].shape == (1, 1, 5, 2, 32)


def test_random_weights_are_repeatable():
    first, again, other = (random_state(CONFIG, seed) for seed in (3, 3, 4))
    assert torch.equal(first["cls_token"], again["cls_token"])
    assert not torch.equal(first["cls_token"], other["cls_token"])


def test_encode_gives_the_normed_tokens_of_the_last_block(network, chips):
    tokens = network.encode(chips)
    _, normed = reference(network, chips[1], CONFIG.depth - 1)
    assert torch.allclose(tokens[1].double(), normed, atol=1e-5)


@pytest.fixture
def one_masked():
    masked = torch.zeros(2, 9, dtype=torch.bool)
    masked[1, 4] = True
    return masked


def test_a_masked_patch_is_not_seen(network, chips, one_masked):
    other = chips.clone()
    other[1, :, 4:8, 4:8] += 3
    token = torch.ones(CONFIG.dim)
    hidden = [network.encode(x, masked=one_masked, mask_token=token) for x in (chips, other)]
    assert torch.equal(*hidden)


def test_a_mask_token_stands_for_the_patch_and_keeps_its_position(network, chips, one_masked):
    patch = network.patch_embed(chips)[1, :, 1, 1].detach()
    masked = network.encode(chips, masked=one_masked, mask_token=patch)
    assert torch.allclose(masked, network.encode(chips), atol=1e-6)


def test_kept_patches_alone_are_encoded(network, chips):
    keep = torch.tensor([[3, 0, 7], [8, 1, 2]])
    other = chips.clone()
    other[0, :, 4:8, 4:8] += 3  # patch 4 is not kept
    assert torch.equal(network.encode(chips, keep=keep), network.encode(other, keep=keep))


def test_keeping_all_in_another_order_permutes_the_tokens(network, chips):
    order = torch.randperm(9, generator=torch.Generator().manual_seed(3))
    kept = network.encode(chips, keep=order.expand(2, -1))
    whole = network.encode(chips)
    assert torch.allclose(kept[:, 1:], whole[:, 1:][:, order], atol=1e-5)
