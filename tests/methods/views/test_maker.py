import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from scipy import ndimage
from torch.nn import functional

from featbank.methods.parts.draws import Draws
from featbank.methods.views.blur import draw_sigmas
from featbank.methods.views.channel_facts import ChannelFacts
from featbank.methods.views.colour import draw_colour
from featbank.methods.views.crop_recipe import CropRecipe
from featbank.methods.views.geometry import draw_geometry
from featbank.methods.views.maker import ViewMaker

WHOLE = {
    "scale": (1.0, 1.0),
    "ratio": (1.0, 1.0),
    "flip": 0.0,
}
EVERYTHING = {
    "quarter_turns": True,
    "brightness": 0.4,
    "contrast": 0.4,
    "colour": 0.8,
    "band_contrast": True,
    "blur": (1.0, 0.4),
    "solarise": (0.0, 0.6),
    "band_drop": 0.2,
    "speckle_looks": 3.0,
}


def draws_of(chips, *, step=3, rows=None, seed=11):
    return Draws(seed=seed, step=step, total=chips, rows=rows or range(chips))


def make(recipes, x, draws):
    """Views of channels of which the second is radar."""
    optical = ChannelFacts(unit="DN", mean=900.0, std=400.0, is_sar=False)
    radar = ChannelFacts(unit="dB", mean=-12.0, std=4.0, is_sar=True)
    channels = [radar if place == 1 else optical for place in range(x.shape[1])]
    maker = ViewMaker(recipes, channels)
    return maker(x, maker.draw(tuple(x.shape[2:]), draws))


def some_chips(chips=6, channels=3, height=30, width=41, seed=0):
    return torch.randn(
        chips, channels, height, width, generator=torch.Generator().manual_seed(seed)
    )


def resized_by_torch(chip, box, side):
    top, left, tall, wide = box
    crop = chip[None, :, top : top + tall, left : left + wide]
    return functional.interpolate(crop, size=(side, side), mode="bicubic", antialias=True)[0]


@pytest.mark.parametrize("side", [8, 17, 64])
def test_a_crop_is_what_torch_makes_of_the_box(side):
    recipe = CropRecipe(name="global", count=1, size_px=side, scale=(0.05, 1.0), flip=0.0)
    x = some_chips(chips=20)
    views = make([recipe], x, draws_of(20))["global"]
    boxes = draw_geometry(draws_of(20), (30, 41), recipe).boxes.tolist()
    expected = torch.stack(
        [resized_by_torch(c, box, side) for c, box in zip(x, boxes, strict=True)]
    )
    torch.testing.assert_close(views, expected, rtol=0, atol=1e-5)


def test_mirrored_views_are_the_eight_symmetries_of_the_chip():
    recipe = CropRecipe(name="v", count=1, size_px=5, quarter_turns=True, **WHOLE | {"flip": 0.5})
    chip = some_chips(chips=1, channels=2, height=5, width=5)
    views = make([recipe], chip.expand(400, -1, -1, -1), draws_of(400))["v"]
    turned = [torch.rot90(chip[0], k, (1, 2)) for k in range(4)]
    symmetries = torch.stack([*turned, *(t.flip(2) for t in turned)])
    near = (views[:, None] - symmetries).abs().amax(dim=(2, 3, 4)) < 1e-5
    assert near.sum(dim=1).eq(1).all()
    assert near.sum(dim=0).min() > 25


def test_quarter_turns_without_mirrorings_are_turns():
    recipe = CropRecipe(name="v", count=1, size_px=5, quarter_turns=True, **WHOLE)
    chip = some_chips(chips=1, channels=2, height=5, width=5)
    views = make([recipe], chip.expand(80, -1, -1, -1), draws_of(80))["v"]
    turned = torch.stack([torch.rot90(chip[0], k, (1, 2)) for k in range(4)])
    near = (views[:, None] - turned).abs().amax(dim=(2, 3, 4)) < 1e-5
    assert near.sum(dim=1).eq(1).all()


def test_crops_stand_one_after_another():
    recipe = CropRecipe(name="v", count=3, size_px=6)
    x = torch.arange(4.0).reshape(4, 1, 1, 1).expand(-1, 2, 9, 9)
    views = make([recipe], x, draws_of(4))["v"]
    assert torch.allclose(views[:, 0, 0, 0], torch.arange(4.0).repeat(3), atol=1e-5)


def test_two_crops_of_a_chip_differ():
    recipe = CropRecipe(name="v", count=2, size_px=6)
    views = make([recipe], some_chips(), draws_of(6))["v"]
    assert (views[:6] - views[6:]).abs().amax(dim=(1, 2, 3)).min() > 0.01


@pytest.mark.parametrize("cut", [1, 3])
def test_two_parts_of_a_batch_get_the_views_of_the_whole(cut):
    recipe = CropRecipe(name="v", count=2, size_px=12, **EVERYTHING)
    x = some_chips()
    whole = make([recipe], x, draws_of(6))["v"].reshape(2, 6, 3, 12, 12)
    first = make([recipe], x[:cut], draws_of(6, rows=range(cut)))["v"]
    second = make([recipe], x[cut:], draws_of(6, rows=range(cut, 6)))["v"]
    parts = [first.reshape(2, cut, 3, 12, 12), second.reshape(2, 6 - cut, 3, 12, 12)]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=1e-6)


@given(
    channels=st.integers(1, 13),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    side=st.integers(1, 24),
    chips=st.integers(1, 4),
)
def test_views_are_finite_and_keep_the_bands(channels, height, width, side, chips):
    recipe = CropRecipe(name="v", count=2, size_px=side, **EVERYTHING)
    x = some_chips(chips, channels, height, width)
    views = make([recipe], x, draws_of(chips))["v"]
    assert views.shape == (2 * chips, channels, side, side)
    assert torch.isfinite(views).all()


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    side=st.integers(1, 24),
    value=st.floats(-5, 5, width=32),
)
def test_views_of_a_constant_chip_are_constant(height, width, side, value):
    recipe = CropRecipe(
        name="v",
        count=1,
        size_px=side,
        scale=(0.02, 1.0),
        quarter_turns=True,
        contrast=0.5,
        colour=1.0,
        blur=(1.0,),
        blur_sigma=(0.1, 20.0),
    )
    views = make([recipe], torch.full((3, 2, height, width), value), draws_of(3))["v"]
    assert (views - value).abs().max() < 1e-4


def test_a_step_again_gives_the_same_views_and_the_next_step_others():
    recipe = CropRecipe(name="v", count=2, size_px=12, **EVERYTHING)
    x = some_chips()
    views = make([recipe], x, draws_of(6))["v"]
    assert torch.equal(make([recipe], x, draws_of(6))["v"], views)
    assert not torch.equal(make([recipe], x, draws_of(6, step=4))["v"], views)


def slow_view(chip, box, sigma, gain, shift):
    """Crop, colour and blur one after another, in DINO's order."""
    crop = resized_by_torch(chip, box, 24)
    mean = crop.mean(dim=(1, 2), keepdim=True)
    coloured = mean + (crop - mean) * gain[:, None, None] + shift[:, None, None]
    blurs = [ndimage.gaussian_filter(band.numpy(), sigma, mode="reflect") for band in coloured]
    return torch.from_numpy(np.stack(blurs))


def test_a_distorted_view_is_what_one_step_after_another_makes():
    recipe = CropRecipe(
        name="v",
        count=1,
        size_px=24,
        flip=0.0,
        brightness=0.5,
        contrast=0.5,
        colour=1.0,
        blur=(1.0,),
        blur_sigma=(1.0, 20.0),
    )
    x = some_chips()
    views = make([recipe], x, draws_of(6))["v"]
    again = draws_of(6)
    boxes = draw_geometry(again, (30, 41), recipe).boxes.tolist()
    sigmas, colour = draw_sigmas(again, recipe, 1.0).tolist(), draw_colour(again, 3, recipe)
    drawn = zip(x, boxes, sigmas, colour.gain, colour.shift, strict=True)
    expected = torch.stack([slow_view(*each) for each in drawn])
    torch.testing.assert_close(views, expected, rtol=0, atol=2e-5)


def test_each_crop_has_its_own_chances():
    recipe = CropRecipe(
        name="v", count=2, size_px=30, blur=(1.0, 0.0), blur_sigma=(20.0, 20.0), **WHOLE
    )
    x = some_chips(chips=9, height=30, width=30)
    first, second = make([recipe], x, draws_of(9))["v"].split(9)
    assert torch.allclose(second, x, atol=1e-5)
    assert (first.std(dim=(2, 3)) < 0.6 * x.std(dim=(2, 3))).all()


def test_solarised_views_are_as_many_as_said():
    recipe = CropRecipe(name="v", count=2, size_px=8, solarise=(0.0, 0.25), **WHOLE)
    x = some_chips(chips=1000, channels=1, height=8, width=8)
    first, second = make([recipe], x, draws_of(1000))["v"].split(1000)
    changed = (second - x).abs().amax(dim=(1, 2, 3)) > 1e-4
    assert torch.allclose(first, x, atol=1e-5)
    assert changed.float().mean().item() == pytest.approx(0.25, abs=0.05)


def test_dropped_bands_are_zero():
    recipe = CropRecipe(name="v", count=1, size_px=8, band_drop=0.3)
    views = make([recipe], some_chips(chips=500, channels=5), draws_of(500))["v"]
    empty = views.eq(0).all(dim=(2, 3)).float().mean().item()
    assert empty == pytest.approx(0.3, abs=0.04)


def test_the_chips_themselves_stay_as_they_are():
    x = some_chips()
    before = x.clone()
    make([CropRecipe(name="v", count=2, size_px=8, **EVERYTHING)], x, draws_of(6))
    assert torch.equal(x, before)


def test_autocast_does_not_touch_the_pixels():
    recipe, x = CropRecipe(name="v", count=1, size_px=8), some_chips()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        views = make([recipe], x, draws_of(6))["v"]
    assert torch.equal(views, make([recipe], x, draws_of(6))["v"])


def test_kinds_of_views_stand_under_their_names():
    recipes = [
        CropRecipe(name="global", count=2, size_px=16),
        CropRecipe(name="local", count=3, size_px=8, scale=(0.05, 0.2)),
    ]
    views = make(recipes, some_chips(), draws_of(6))
    assert {name: tuple(v.shape) for name, v in views.items()} == {
        "global": (12, 3, 16, 16),
        "local": (18, 3, 8, 8),
    }
