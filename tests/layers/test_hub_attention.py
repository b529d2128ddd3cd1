"""Attention of transformers' networks is that of our own on the same weights."""

import json

import pytest
import torch
from fake_hub import SHAPE, save_model
from safetensors.torch import load_file, save_file

from featbank.backbones import BACKBONES, WeightsFile
from featbank.errors import ContractError
from featbank.layers.hub_encoder import HubEncoder

WHOLE = {
    "patch_embed.proj": "embeddings.patch_embeddings.projection",
    "pos_embed": "embeddings.position_embeddings",
    "norm": "layernorm",
}
PARTS = {
    "blocks": "encoder.layer",
    "attn.proj": "attention.output.dense",
    "ls1.gamma": "layer_scale1.lambda1",
    "ls2.gamma": "layer_scale2.lambda1",
}


def opened(folder, **told):
    from transformers import AutoModel

    return AutoModel.from_pretrained(folder, **told)


def published(state):
    """The original's state under the names of transformers' published files."""
    found = {}
    for name, value in state.items():
        stem = name.removesuffix(".weight").removesuffix(".bias")
        new = name.replace(stem, WHOLE[stem]) if stem in WHOLE else name
        new = f"embeddings.{new}" if name.endswith("_token") or "register" in name else new
        for theirs, ours in PARTS.items():
            new = new.replace(theirs, ours)
        if "attn.qkv" not in new:
            found[new] = value
            continue
        for part, rows in zip(("query", "key", "value"), value.chunk(3), strict=True):
            found[new.replace("attn.qkv", f"attention.attention.{part}")] = rows.clone()
    return found


def golden_state(shared, name):
    path = shared / "golden" / f"{name}.safetensors"
    return {
        key.removeprefix("state."): value
        for key, value in load_file(path).items()
        if key.startswith("state.")
    }


def dinov2_of_transformers(folder, state, registers):
    kind = "dinov2_with_registers" if registers else "dinov2"
    settings = {**SHAPE, "hidden_size": 64, "num_attention_heads": 4, "model_type": kind}
    settings |= {"num_register_tokens": registers} if registers else {}
    (folder / "config.json").write_text(json.dumps(settings))
    save_file(published(state), folder / "model.safetensors", metadata={"format": "pt"})
    model, info = opened(folder, output_loading_info=True)
    assert not info["missing_keys"]
    return HubEncoder(model.eval(), patch_px=14, prefix=1 + registers, registers=registers)


@pytest.mark.parametrize("registers", [0, 4])
@torch.inference_mode()
def test_both_give_the_same_maps_of_the_same_dinov2(shared, tmp_path, registers):
    state = golden_state(shared, "dinov2_vit14_reg4" if registers else "dinov2_vit14")
    spec = BACKBONES["dinov2-small-reg" if registers else "dinov2-small"]
    config = {**spec.config, "dim": 64, "depth": 3, "heads": 4}
    loaded = spec.read(config, state, WeightsFile(name="golden"))
    own = spec.build(loaded.config, loaded.state)
    hub = dinov2_of_transformers(tmp_path, state, registers)
    x = torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(0))
    for layer in (0, 2):
        found = hub.attention(x, layer=layer)
        assert found.shape == (2, 4, 1 + registers, 4, 4)
        torch.testing.assert_close(found, own.attention(x, layer=layer), rtol=1e-4, atol=1e-6)


@torch.inference_mode()
def test_the_fused_kernel_is_put_back(tmp_path):
    model = opened(save_model(tmp_path, "vit")).eval()
    encoder = HubEncoder(model, patch_px=14, prefix=1, registers=0)
    x = torch.randn(1, 3, 56, 56)
    before = encoder(x, layers=[2])["cls"]
    encoder.attention(x, layer=1)
    assert model.config._attn_implementation == "sdpa"
    assert torch.equal(encoder(x, layers=[2])["cls"], before)


@torch.inference_mode()
@pytest.mark.parametrize(("kind", "prefix"), [("vit_mae", 1), ("deit", 2), ("dinov3_vit", 5)])
def test_other_families_give_maps_of_their_patches(tmp_path, kind, prefix):
    registers = 4 if kind == "dinov3_vit" else 0
    more = {"num_register_tokens": registers} if registers else {}
    model = opened(save_model(tmp_path, kind, **more)).eval()
    model.config.mask_ratio = 0.0
    encoder = HubEncoder(model, patch_px=14, prefix=prefix, registers=registers)
    maps = encoder.attention(torch.randn(1, 3, 56, 84), layer=2)
    assert maps.shape == (1, 2, 1 + registers, 4, 6)
    assert (maps.sum(dim=(-2, -1)) < 1).all()


def test_a_network_without_cls_says_so(tmp_path):
    model = opened(save_model(tmp_path, "ijepa"))
    with pytest.raises(ContractError, match="no CLS token"):
        HubEncoder(model, patch_px=14, prefix=0, registers=0).attention(
            torch.zeros(1, 3, 56, 56), layer=0
        )
