"""Brightness and contrast for any number of bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from featbank.methods.parts.draws import Draws
    from featbank.methods.views.crop_recipe import CropRecipe


class Colour(NamedTuple):
    """A change of values.

    Attributes:
        gain: (b, C) factor on a band's distance from its mean in the view.
        shift: (b, C) what is added, in the band's standard deviations.
    """

    gain: Tensor
    shift: Tensor


def draw_colour(draws: Draws, channels: int, recipe: CropRecipe) -> Colour:
    """Gains and shifts of one crop of every chip; gain 1 and shift 0 where it is left alone."""
    numbers = 2 * draws.uniform(2, channels) - 1
    chosen = draws.uniform(1) < recipe.colour
    if not recipe.band_contrast:
        numbers = numbers[..., :1].expand(-1, -1, channels)
    gain, shift = 1 + recipe.contrast * numbers[:, 0], recipe.brightness * numbers[:, 1]
    return Colour(gain=torch.where(chosen, gain, 1.0), shift=torch.where(chosen, shift, 0.0))


def apply_colour(views: Tensor, colour: Colour) -> Tensor:
    """Stretch each band of (b, C, s, s) about its mean in the view, then shift it; in place."""
    gain = colour.gain[..., None, None]
    shift = colour.shift[..., None, None]
    mean = views.mean(dim=(2, 3), keepdim=True)
    return views.mul_(gain).add_(mean * (1 - gain) + shift)
