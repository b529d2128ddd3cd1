import pytest
import torch

from featbank.layers.stochastic_depth import add_branch
from featbank.layers.vit import VisionTransformer, random_state
from featbank.layers.vit_config import VitConfig


@pytest.fixture
def rows():
    return torch.randn(10, 3, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("rate", "kept"), [(0.3, 7), (0.5, 5), (0.95, 1)])
def test_only_the_kept_rows_are_computed(rows, rate, kept):
    seen = []
    add_branch(rows, lambda x: seen.append(len(x)) or x, rate)
    assert seen == [kept]


def test_dropped_rows_stay_as_they_are(rows):
    out = add_branch(rows, lambda x: x + 1, 0.4)
    assert ((out == rows).all(dim=(1, 2)).sum()) == 4


def test_kept_rows_are_scaled_up(rows):
    out = add_branch(rows, lambda x: x.new_ones(x.shape), 0.4)
    changed = (out - rows)[~(out == rows).all(dim=(1, 2))]
    assert torch.allclose(changed, torch.full_like(changed, 10 / 6), atol=1e-5)


def test_expectation_is_that_of_the_whole_branch(rows):
    torch.manual_seed(0)
    mean = torch.stack([add_branch(rows, torch.sin, 0.5) for _ in range(4000)]).mean(dim=0)
    assert torch.allclose(mean, rows + torch.sin(rows), atol=0.08)


def test_rate_0_is_the_plain_sum(rows):
    assert torch.equal(add_branch(rows, torch.sin, 0.0), rows + torch.sin(rows))


def test_gradients_reach_the_kept_rows_alone(rows):
    rows.requires_grad_()
    out = add_branch(rows, lambda x: x * 2, 0.4)
    out.sum().backward()
    factors = torch.unique(rows.grad.round(decimals=4))
    assert torch.allclose(factors, torch.tensor([1.0, 1 + 2 * 10 / 6]), atol=1e-3)


def test_a_network_in_evaluation_drops_nothing():
    config = VitConfig(dim=8, depth=2, heads=2, patch_px=4, channels=2, grid=2, mlp_dim=16)
    vit = VisionTransformer(config)
    vit.load_state_dict(random_state(config, 0))
    x = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    plain = vit.eval().encode(x)
    for block in vit.blocks:
        block.drop_path = 0.5
    assert torch.equal(vit.encode(x), plain)
    assert not torch.equal(vit.train().encode(x), plain)
