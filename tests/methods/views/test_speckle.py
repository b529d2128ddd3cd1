import numpy as np
import pytest
import torch
from scipy import stats

from featbank.bands import RGB, SENTINEL1, Band
from featbank.methods.parts.draws import Draws
from featbank.methods.views.channel_facts import ChannelFacts, channel_facts
from featbank.methods.views.speckle import Speckle

DECIBEL = ChannelFacts(unit="dB", mean=-12.0, std=4.0, is_sar=True)
LINEAR = ChannelFacts(unit="unknown", mean=0.2, std=0.1, is_sar=True)
OPTICAL = ChannelFacts(unit="DN", mean=900.0, std=400.0, is_sar=False)


def draws_of(chips, rows=None):
    return Draws(seed=0, step=0, total=chips, rows=rows or range(chips))


def add(speckle, views, draws):
    return speckle.add(views, speckle.draw(draws))


def speckled(channels, looks, chips=8, side=40):
    """Speckle on pixels that stand one unit above the band's mean: sigma0 of -8 dB or 0.3."""
    views = torch.ones(chips, len(channels), side, side)
    return add(Speckle(looks, channels), views, draws_of(chips))


@pytest.mark.parametrize("looks", [1.0, 4.4])
def test_decibels_are_shifted_by_a_gamma_variable(looks):
    decibel = speckled([DECIBEL], looks).flatten().double().numpy() * 4.0 - 12.0
    factor = 10 ** ((decibel + 8.0) / 10)
    assert stats.kstest(factor, stats.gamma(looks, scale=1 / looks).cdf).pvalue > 0.001


@pytest.mark.parametrize("looks", [1.0, 4.4])
def test_intensities_are_multiplied_by_a_gamma_variable(looks):
    intensity = speckled([LINEAR], looks).flatten().double().numpy() * 0.1 + 0.2
    factor = intensity / 0.3
    assert stats.kstest(factor, stats.gamma(looks, scale=1 / looks).cdf).pvalue > 0.001


def test_only_radar_bands_are_speckled():
    views = speckled([OPTICAL, DECIBEL, OPTICAL], 2.0)
    assert views[:, [0, 2]].eq(1).all()
    assert views[:, 1].std() > 0.3


def test_bands_chips_and_pixels_are_independent():
    noise = speckled([DECIBEL, DECIBEL], 1.0).flatten(0, 1).double().numpy()
    rows = noise.reshape(len(noise), -1)
    correlation = np.corrcoef(rows)[~np.eye(len(rows), dtype=bool)]
    assert np.abs(correlation).max() < 5 / np.sqrt(rows.shape[1])
    beside = [np.corrcoef(n[:, 1:].ravel(), n[:, :-1].ravel())[0, 1] for n in noise]
    below = [np.corrcoef(n[1:].ravel(), n[:-1].ravel())[0, 1] for n in noise]
    assert np.abs([np.mean(beside), np.mean(below)]).max() < 5 / np.sqrt(noise.size)


def test_part_of_a_batch_gets_the_speckle_of_the_whole():
    speckle = Speckle(1.0, [DECIBEL])
    whole = add(speckle, torch.zeros(5, 1, 9, 9), draws_of(5))
    part = add(speckle, torch.zeros(2, 1, 9, 9), draws_of(5, range(3, 5)))
    assert torch.equal(part, whole[3:])


def test_radar_is_known_by_decibels_or_by_wavelength():
    linear = Band(name="HH", wavelength_um=31_000.0)
    facts = channel_facts([*SENTINEL1, linear, *RGB], range(6), range(1, 7))
    assert [f.is_sar for f in facts] == [True, True, True, False, False, False]
    assert (facts[2].unit, facts[2].mean, facts[2].std) == ("unknown", 2.0, 3.0)
