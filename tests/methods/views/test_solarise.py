import hypothesis.strategies as st
import torch
from hypothesis import given

from featbank.methods.views.solarise import solarised


def test_an_even_range_is_mirrored_at_its_middle():
    ramp = torch.arange(100.0).reshape(1, 1, 10, 10)
    expected = torch.minimum(torch.arange(100.0), 99 - torch.arange(100.0)).reshape(1, 1, 10, 10)
    torch.testing.assert_close(solarised(ramp), expected)


def test_bands_have_thresholds_of_their_own():
    ramp = torch.arange(100.0).reshape(1, 1, 10, 10)
    views = torch.cat([ramp, 7 * ramp - 40], dim=1)
    both = solarised(views)
    torch.testing.assert_close(both[:, :1], solarised(ramp))
    torch.testing.assert_close(both[:, 1:], 7 * solarised(ramp) - 40)


def test_a_few_bright_pixels_do_not_move_the_threshold_out_of_reach():
    views = torch.rand(1, 1, 20, 20, generator=torch.Generator().manual_seed(0))
    views[0, 0, :2, :8] = 50.0
    changed = (solarised(views) != views).float().mean()
    assert 0.4 < changed < 0.6


@given(seed=st.integers(0, 1000), channels=st.integers(1, 13), scale=st.floats(0.01, 10))
def test_values_stay_in_the_range_of_the_band(seed, channels, scale):
    views = torch.randn(2, channels, 6, 7, generator=torch.Generator().manual_seed(seed)) * scale
    ours = solarised(views)
    assert (ours >= views.amin(dim=(2, 3), keepdim=True)).all()
    assert (ours <= views).all()


def test_a_constant_band_stays():
    views = torch.full((1, 2, 4, 4), 0.7)
    assert torch.equal(solarised(views), views)
