"""Every backbone keeps what its record promises, whoever added it."""

from functools import cache

import numpy as np
import pytest
import torch

from featbank.backbones import BACKBONES
from featbank.bands import Band

RUN = list(BACKBONES)
# One size of each family is enough where the number of bands is all that varies.
SMALL = [n for n in RUN if BACKBONES[n].describe(BACKBONES[n].config).parameters < 3e7] + ["dofa"]


def shallow(config):
    """The same network with one block: deeper ones cost gigabytes and prove nothing more."""
    if "depth" in config:
        return {**config, "depth": 1}
    settings = config.get("transformers", {})
    if "num_hidden_layers" in settings:
        return {**config, "transformers": {**settings, "num_hidden_layers": 1}}
    return config


def bands(channels):
    return [Band(name=f"b{i}", wavelength_um=0.5 + i / 20) for i in range(channels)]


def bound(spec, channels):
    config = shallow(spec.config)
    return spec.bind(config, bands(channels)) if spec.bind else {**config, "channels": channels}


@cache
def make(name, channels=3):
    spec = BACKBONES[name]
    config = bound(spec, channels)
    state = {}
    if spec.initial is not None:
        state = spec.initial(config, 0)
    if spec.fit is not None:
        rng = np.random.default_rng(0)
        state = spec.fit(config, [rng.normal(size=(channels, 24, 24)).astype("f4")] * 8, 0)
    return spec, config, spec.build(config, state)


@cache
def run(name, channels=3):
    spec, config, encoder = make(name, channels)
    side = 56 if spec.image_size else 24
    side = side if side % (spec.describe(config).patch_px or 1) == 0 else 64
    x = torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(0))
    depth = spec.describe(config).depth
    with torch.inference_mode():
        return spec, spec.describe(config), encoder(x, layers=[depth - 1], with_tokens=True)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("channels", [1, 3, 12])
def test_it_gives_what_it_provides(name, channels):
    _, provides, out = run(name, channels)
    assert set(provides.features) == set(out)


@pytest.mark.parametrize("name", RUN)
def test_its_features_have_the_dimension_told(name):
    _, provides, out = run(name)
    assert all(values.shape[-1] == provides.dim for values in out.values())


@pytest.mark.parametrize("name", RUN)
def test_its_pooled_features_are_batch_by_layer_by_dim(name):
    _, provides, out = run(name)
    pooled = [out[feature] for feature in ("cls", "mean", "mean_raw") if feature in out]
    assert all(values.shape == (2, 1, provides.dim) for values in pooled)


@pytest.mark.parametrize("name", RUN)
def test_its_features_are_finite(name):
    assert all(torch.isfinite(values).all() for values in run(name)[2].values())


@pytest.mark.parametrize("name", RUN)
def test_it_sees_each_chip_alone(name):
    spec, config, encoder = make(name)
    side = 112 if spec.image_size else 24
    x = torch.randn(3, 3, side, side, generator=torch.Generator().manual_seed(0))
    layers = [spec.describe(config).depth - 1]
    with torch.inference_mode():
        together, alone = encoder(x, layers=layers), encoder(x[1:2], layers=layers)
    for feature, values in alone.items():
        torch.testing.assert_close(values[0], together[feature][1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", BACKBONES)
def test_its_default_feature_is_one_it_provides(name):
    spec = BACKBONES[name]
    assert spec.default_feature in spec.describe(spec.config).features


@pytest.mark.parametrize("name", BACKBONES)
def test_its_record_says_what_it_is(name):
    spec = BACKBONES[name]
    assert spec.summary
    assert spec.weights_from
    assert spec.compute_dtype in ("bfloat16", "float32")


@pytest.mark.parametrize("name", BACKBONES)
def test_weights_have_a_way_in(name):
    spec = BACKBONES[name]
    assert not spec.takes_weights or (spec.read is not None and spec.initial is not None)
