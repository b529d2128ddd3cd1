"""Every encoder of the catalog on the device: features equal the CPU's, nothing waits inside."""

import pytest
import torch
from fake_gpu.tracing import traced

from tests.contracts.test_backbone_contract import SMALL, make


def features(encoder, x, spec, config):
    last = spec.describe(config).depth - 1
    with torch.inference_mode():
        return encoder(x, layers=[last], with_tokens=True)


def images(spec, config):
    side = 56 if spec.image_size else 24
    side = side if side % (spec.describe(config).patch_px or 1) == 0 else 64
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", SMALL)
def test_features_are_those_of_the_cpu(name):
    spec, config, encoder = make(name)
    x = images(spec, config)
    expected = features(encoder, x, spec, config)
    found = features(make.__wrapped__(name)[2].to("cuda"), x.to("cuda"), spec, config)
    for key, values in expected.items():
        torch.testing.assert_close(found[key].cpu(), values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_a_second_pass_copies_and_waits_for_nothing(name):
    spec, config, encoder = make.__wrapped__(name)
    moved, x = encoder.to("cuda"), images(spec, config).to("cuda")
    features(moved, x, spec, config)
    with traced() as trace, torch.autocast("cuda", dtype=torch.bfloat16):
        features(moved, x, spec, config)
    assert (trace.copies_in, trace.copies_out, trace.waits) == ([], [], [])
    assert torch.float64 not in trace.dtypes
