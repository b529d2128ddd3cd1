"""Every adapter of the catalog keeps what its record promises, whoever added it."""

import numpy as np
import pytest

from featbank.bands import RGB, SENTINEL1
from featbank.inputs.adapters import ADAPTERS, Moments

MOMENTS = Moments(mean=np.zeros(3), covariance=np.diag([3.0, 2.0, 1.0]))
# Adapters of one or two bands; the others take any three.
FEW = ("ratio", "repeat")


@pytest.fixture(params=list(ADAPTERS))
def spec(request):
    return ADAPTERS[request.param]


@pytest.fixture
def adapted(spec):
    bands = SENTINEL1 if spec.name in FEW else RGB
    return spec.adapt(bands, MOMENTS if spec.needs_moments else None, "made"), bands


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
    bands = adapted[1]
    assert spec.adapt(bands, MOMENTS if spec.needs_moments else None, "made") == adapted[0]
