import pytest
import torch

from featbank.layers.joint_forward import encode_jointly
from featbank.layers.vit import VisionTransformer, random_state
from featbank.layers.vit_config import VitConfig


def network(drop_path=0.0, **shape):
    wanted = {"dim": 24, "depth": 3, "heads": 2, "mlp_dim": 40, **shape}
    config = VitConfig(patch_px=4, channels=5, grid=4, **wanted)
    vit = VisionTransformer(config)
    generator = torch.Generator().manual_seed(1)
    state = random_state(config, 0)
    vit.load_state_dict(
        {k: v + 0.1 * torch.randn(v.shape, generator=generator) for k, v in state.items()}
    )
    for block in vit.blocks:
        block.drop_path = drop_path
    return vit.train()


def crops():
    generator = torch.Generator().manual_seed(2)
    sizes = [(4, 16, 16), (6, 8, 8), (3, 8, 12)]
    return [torch.randn(b, 5, h, w, generator=generator) for b, h, w in sizes]


def jointly(vit):
    return encode_jointly(vit, [vit.embed(crop) for crop in crops()])


SHAPES = [{}, {"registers": 2}, {"layer_scale": True}, {"swiglu": True}]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_pass_equals_one_for_each_size(shape):
    vit = network(**shape)
    for ours, crop in zip(jointly(vit), crops(), strict=True):
        assert torch.allclose(ours, vit.encode(crop), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_equal_those_of_one_pass_for_each_size(shape):
    joint, apart = network(**shape).double(), network(**shape).double()
    batches = [crop.double() for crop in crops()]
    outs = encode_jointly(joint, [joint.embed(crop) for crop in batches])
    sum((x[:, 0] ** 3).sum() for x in outs).backward()
    sum((apart.encode(crop)[:, 0] ** 3).sum() for crop in batches).backward()
    for ours, theirs in zip(joint.parameters(), apart.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-6, atol=1e-9)


def test_stochastic_depth_drops_what_one_pass_would_drop():
    vit, crop = network(drop_path=0.5), crops()[0]
    torch.manual_seed(7)
    (ours,) = encode_jointly(vit, [vit.embed(crop)])
    torch.manual_seed(7)
    assert torch.allclose(ours, vit.encode(crop), atol=1e-6)


def test_stochastic_depth_keeps_the_share_of_each_size():
    vit = network(drop_path=0.5, depth=1)
    seen = []
    vit.blocks[0].mlp.register_forward_hook(lambda _, inputs, out: seen.append(len(inputs[0])))
    jointly(vit)
    # 2 of 4 rows of 17 tokens, 3 of 6 rows of 5, 1 of 3 rows of 7.
    assert seen == [2 * 17 + 3 * 5 + 7]


def test_the_mean_over_drops_is_the_whole_branch():
    vit = network(drop_path=0.5, depth=1)
    with torch.no_grad():
        tokens = [vit.embed(crop)[:, :2] for crop in crops()[:2]]
        vit.norm = torch.nn.Identity()
        torch.manual_seed(0)
        vit.blocks[0].mlp.forward = lambda x: torch.zeros_like(x)
        mean = sum(encode_jointly(vit, tokens)[1] for _ in range(3000)) / 3000
        whole = encode_jointly(vit.eval(), tokens)[1]
    assert torch.allclose(mean, whole, atol=0.1 * float((whole - tokens[1]).abs().max()))
