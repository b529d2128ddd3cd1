import torch

from featbank.methods.parts.draws import Draws
from featbank.methods.views.colour import Colour, apply_colour, draw_colour
from featbank.methods.views.crop_recipe import CropRecipe

CHIPS = 2000


def drawn(**kwargs):
    recipe = CropRecipe(name="v", count=1, size_px=8, brightness=0.4, contrast=0.2, **kwargs)
    return draw_colour(Draws(seed=0, step=0, total=CHIPS, rows=range(CHIPS)), 3, recipe)


def test_a_share_of_the_chips_is_changed():
    colour = drawn(colour=0.8)
    changed = (colour.gain != 1).any(dim=1) | (colour.shift != 0).any(dim=1)
    assert abs(changed.float().mean() - 0.8) < 0.04


def test_changes_reach_to_their_bounds():
    colour = drawn(colour=1.0)
    assert 0.39 < colour.shift.abs().max() <= 0.4
    assert 0.19 < (colour.gain - 1).abs().max() <= 0.2 + 1e-6
    assert abs(colour.shift.mean()) < 0.02


def test_bands_share_a_change_unless_each_has_its_own():
    shared, own = drawn(colour=1.0), drawn(colour=1.0, band_contrast=True)
    assert torch.equal(shared.gain[:, :1].expand(-1, 3), shared.gain)
    assert (own.gain[:, 0] - own.gain[:, 1]).abs().mean() > 0.05
    assert (own.shift[:, 0] - own.shift[:, 2]).abs().mean() > 0.1


def test_contrast_is_about_the_mean_of_the_band_and_brightness_a_shift():
    views = torch.randn(1, 2, 5, 5, generator=torch.Generator().manual_seed(0)) + 3
    colour = Colour(gain=torch.tensor([[1.5, 1.0]]), shift=torch.tensor([[0.0, -0.25]]))
    ours = apply_colour(views.clone(), colour)
    mean = views[0, 0].mean()
    torch.testing.assert_close(ours[0, 0], mean + 1.5 * (views[0, 0] - mean))
    torch.testing.assert_close(ours[0, 1], views[0, 1] - 0.25)


def test_chips_that_drew_nothing_stay_bit_for_bit():
    views = torch.randn(2, 2, 5, 5)
    colour = Colour(gain=torch.ones(2, 2), shift=torch.zeros(2, 2))
    assert torch.equal(apply_colour(views.clone(), colour), views)
