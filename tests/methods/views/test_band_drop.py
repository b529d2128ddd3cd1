import pytest

from featbank.methods.parts.draws import Draws
from featbank.methods.views.band_drop import draw_kept


def kept_of(channels, probability, chips=4000):
    return draw_kept(Draws(seed=0, step=0, total=chips, rows=range(chips)), channels, probability)


def test_bands_are_dropped_as_often_as_said():
    assert kept_of(13, 0.2).mean().item() == pytest.approx(0.8, abs=0.01)


def test_bands_are_dropped_independently():
    kept = kept_of(3, 0.5)
    both = (kept[:, 0] + kept[:, 1] == 0).float().mean().item()
    # A quarter, less half of the eighth in which the third band would be dropped too: one of the
    # three is then brought back, in two of three cases one of the first two.
    assert both == pytest.approx(0.25 - 0.125 * 2 / 3, abs=0.025)


@pytest.mark.parametrize("channels", [1, 2, 13])
def test_one_band_always_stays(channels):
    assert kept_of(channels, 1.0).sum(dim=1).eq(1).all()
