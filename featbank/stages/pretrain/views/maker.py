"""All views of a batch of chips, on the chips' device, without a loop over chips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featbank.stages.pretrain.views.band_drop import draw_kept
from featbank.stages.pretrain.views.blur import blurred, draw_sigmas
from featbank.stages.pretrain.views.colour import apply_colour, draw_colour
from featbank.stages.pretrain.views.geometry import draw_geometry
from featbank.stages.pretrain.views.resampling import apply_to_both_axes
from featbank.stages.pretrain.views.solarise import solarised
from featbank.stages.pretrain.views.speckle import Speckle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from featbank.stages.pretrain.steps.draws import Draws
    from featbank.stages.pretrain.views.channel_facts import ChannelFacts
    from featbank.stages.pretrain.views.crop_recipe import CropRecipe


class ViewMaker:
    """Makes the views that a method asks for.

    A view is cropped, resized, mirrored and blurred, turned, then speckled, changed in brightness
    and contrast, solarised, and loses bands. Every random number comes from ``Draws`` in an order
    that does not depend on the chips, so a chip gets the same views in whatever process or
    micro-batch it is.

    Args:
        crops: Kinds of views, of different names.
        channels: Facts of the C channels.
    """

    def __init__(self, crops: Sequence[CropRecipe], channels: Sequence[ChannelFacts]) -> None:
        self._crops = tuple(crops)
        self._channels = tuple(channels)
        self._speckle = {
            recipe.name: Speckle(recipe.speckle_looks, channels)
            for recipe in crops
            if recipe.speckle_looks > 0
        }

    @torch.no_grad()
    def __call__(self, x: Tensor, draws: Draws) -> dict[str, Tensor]:
        """The views of b chips.

        Args:
            x: (b, C, H, W) float32, normalised.
            draws: Random numbers of these b chips.

        Returns:
            (count * b, C, s, s) float32 by the crops' names, on the device of ``x``: all chips of
            the first crop, then of the second.
        """
        size = (x.shape[2], x.shape[3])
        # (b, C, H, W) -> (b, H, C * W)
        rows = x.transpose(1, 2).reshape(len(x), size[0], -1)
        # Pixels in bfloat16 would have three digits.
        with torch.autocast(x.device.type, enabled=False):
            return {recipe.name: self._views(rows, size, draws, recipe) for recipe in self._crops}

    def _views(
        self, rows: Tensor, size: tuple[int, int], draws: Draws, recipe: CropRecipe
    ) -> Tensor:
        side, chips = recipe.size_px, len(rows)
        views = rows.new_empty(recipe.count, chips, len(self._channels), side, side)
        for place in range(recipe.count):
            self._crop(rows, size, draws, (recipe, place), views[place])
            self._distort(views[place], draws, recipe, place)
        return views.flatten(0, 1)

    def _crop(
        self,
        rows: Tensor,
        size: tuple[int, int],
        draws: Draws,
        which: tuple[CropRecipe, int],
        out: Tensor,
    ) -> None:
        recipe, place = which
        geometry = draw_geometry(draws, size, recipe)
        down, across = geometry.matrices(size, recipe.size_px, rows.device)
        if recipe.blur:
            sigmas = draw_sigmas(draws, recipe, recipe.blur[place])
            down, across = blurred(down, sigmas), blurred(across, sigmas)
        out.copy_(apply_to_both_axes(rows, down, across))
        turned = geometry.transposed.nonzero().flatten().to(out.device)
        if len(turned):
            out[turned] = out[turned].transpose(2, 3)

    def _distort(self, views: Tensor, draws: Draws, recipe: CropRecipe, place: int) -> None:
        channels = len(self._channels)
        if speckle := self._speckle.get(recipe.name):
            speckle.add(views, draws)
        if recipe.colour > 0:
            apply_colour(views, draw_colour(draws, channels, recipe))
        if recipe.solarise:
            drawn = draws.uniform(1)[:, 0] < recipe.solarise[place]
            chosen = drawn.nonzero().flatten().to(views.device)
            if len(chosen):
                views[chosen] = solarised(views[chosen])
        if recipe.band_drop > 0:
            kept = draw_kept(draws, channels, recipe.band_drop)
            views.mul_(kept.to(views.device)[..., None, None])
