"""Every adapter of the catalog keeps what its record promises, whoever added it."""

import numpy as np
import pytest

from featbank.bands import RGB, SENTINEL1, SENTINEL2, WHU_OHS
from featbank.errors import ContractError
from featbank.inputs.adapters import ADAPTERS, Moments

# Each adapter is tried on the first of these that it takes.
OFFERED = (RGB, SENTINEL1, SENTINEL1[:1], SENTINEL2, WHU_OHS)


def adapt(spec, bands):
    moments = Moments(mean=np.zeros(len(bands)), covariance=np.diag(np.arange(len(bands), 0, -1.0)))
    return spec.adapt(bands, moments if spec.needs_moments else None, "made")


def taken(spec):
    for bands in OFFERED:
        try:
            adapt(spec, bands)
        except ContractError:
            continue
        return bands
    return pytest.fail(f"{spec.name} takes no bands of any sensor")


@pytest.fixture(params=list(ADAPTERS))
def spec(request):
    return ADAPTERS[request.param]


@pytest.fixture
def adapted(spec):
    bands = taken(spec)
    return adapt(spec, bands), bands


def test_its_channels_bear_its_name(spec, adapted):
    assert adapted[0].name == spec.name
    assert spec.summary


def test_its_weights_make_its_channels_of_the_bands(adapted):
    made, bands = adapted
    if made.weights is None:
        assert made.channels == bands
    else:
        assert np.array(made.weights).shape == (len(made.channels), len(bands))


def test_it_gives_the_same_twice(spec, adapted):
    assert adapt(spec, adapted[1]) == adapted[0]
