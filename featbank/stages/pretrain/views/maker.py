"""All views of a batch of chips, on the chips' device, without a loop over chips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featbank.stages.pretrain.views.colour import apply_colour, draw_colour
from featbank.stages.pretrain.views.geometry import draw_geometry, transpose_chosen
from featbank.stages.pretrain.views.resampling import apply_to_both_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from featbank.stages.pretrain.draws import Draws
    from featbank.stages.pretrain.views.channel_facts import ChannelFacts
    from featbank.stages.pretrain.views.crop_recipe import CropRecipe


class ViewMaker:
    """Makes the views that a method asks for.

    Every random number comes from ``Draws`` in an order that does not depend on the chips, so a
    chip gets the same views in whatever process or micro-batch it is.

    Args:
        crops: Kinds of views, of different names.
        channels: Facts of the C channels.
    """

    def __init__(self, crops: Sequence[CropRecipe], channels: Sequence[ChannelFacts]) -> None:
        self._crops = tuple(crops)
        self._channels = tuple(channels)

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
        return {
            recipe.name: torch.cat(
                [self._view(rows, size, draws, recipe, place) for place in range(recipe.count)]
            )
            for recipe in self._crops
        }

    def _view(
        self, rows: Tensor, size: tuple[int, int], draws: Draws, recipe: CropRecipe, place: int
    ) -> Tensor:
        geometry = draw_geometry(draws, size, recipe)
        matrices = geometry.matrices(size, recipe.size_px, rows.device)
        views = apply_to_both_axes(rows, *matrices)
        views = transpose_chosen(views, geometry.transposed)
        if recipe.colour > 0:
            views = apply_colour(views, draw_colour(draws, len(self._channels), recipe))
        return views.contiguous()
