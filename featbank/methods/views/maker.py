"""All views of a batch of chips: drawn on the CPU, then made on the chips' device at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from featbank.methods.views.band_drop import draw_kept
from featbank.methods.views.blur import Blur, blur_of, blurred, draw_sigmas
from featbank.methods.views.colour import Colour, apply_colour, draw_colour
from featbank.methods.views.geometry import Geometry, draw_geometry
from featbank.methods.views.resampling import apply_to_both_axes
from featbank.methods.views.solarise import draw_solarised, solarised
from featbank.methods.views.speckle import Speckle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from featbank.methods.parts.draws import Draws
    from featbank.methods.views.channel_facts import ChannelFacts
    from featbank.methods.views.crop_recipe import CropRecipe


class DrawnView(NamedTuple):
    """What is drawn for one crop of every chip; None where the recipe has no such distortion.

    Attributes:
        geometry: Where each comes from, and how it is turned.
        blur: Which are blurred, and how much.
        speckle: (b, 1) seeds.
        colour: Changes of brightness and contrast.
        solarised: (m,) which are solarised.
        kept: (b, C), 0 for a band that is set to its mean.
    """

    geometry: Geometry
    blur: Blur | None
    speckle: Tensor | None
    colour: Colour | None
    solarised: Tensor | None
    kept: Tensor | None


# By the crops' names, a view for each crop of that name.
DrawnViews = dict[str, tuple[DrawnView, ...]]


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

    @property
    def sides(self) -> dict[str, int]:
        """Side in pixels of the views by the crops' names."""
        return {recipe.name: recipe.size_px for recipe in self._crops}

    def draw(self, size: tuple[int, int], draws: Draws) -> DrawnViews:
        """All that is random in the views of b chips, on the CPU.

        Args:
            size: Height and width of the chips in pixels.
            draws: Random numbers of these b chips.
        """
        return {
            recipe.name: tuple(
                self._drawn(size, draws, recipe, place) for place in range(recipe.count)
            )
            for recipe in self._crops
        }

    def _drawn(
        self, size: tuple[int, int], draws: Draws, recipe: CropRecipe, place: int
    ) -> DrawnView:
        channels, speckle = len(self._channels), self._speckle.get(recipe.name)
        # In this order whatever the recipe: the numbers of a step follow one another.
        geometry = draw_geometry(draws, size, recipe)
        sigmas = draw_sigmas(draws, recipe, recipe.blur[place]) if recipe.blur else None
        return DrawnView(
            geometry=geometry,
            blur=None if sigmas is None else blur_of(sigmas, recipe.size_px),
            speckle=speckle.draw(draws) if speckle else None,
            colour=draw_colour(draws, channels, recipe) if recipe.colour > 0 else None,
            solarised=draw_solarised(draws, recipe.solarise[place]) if recipe.solarise else None,
            kept=draw_kept(draws, channels, recipe.band_drop) if recipe.band_drop > 0 else None,
        )

    @torch.no_grad()
    def __call__(self, x: Tensor, drawn: Mapping[str, Sequence[DrawnView]]) -> dict[str, Tensor]:
        """The views of b chips, without a loop over chips.

        Args:
            x: (b, C, H, W) float32, normalised.
            drawn: As ``draw`` gives it, on the device of ``x``.

        Returns:
            (count * b, C, s, s) float32 by the crops' names, on the device of ``x``: all chips of
            the first crop, then of the second.
        """
        size = (x.shape[2], x.shape[3])
        # (b, C, H, W) -> (b, H, C * W)
        rows = x.transpose(1, 2).reshape(len(x), size[0], -1)
        # Pixels in bfloat16 would have three digits.
        with torch.autocast(x.device.type, enabled=False):
            return {
                recipe.name: self._views(rows, size, drawn[recipe.name], recipe)
                for recipe in self._crops
            }

    def _views(
        self, rows: Tensor, size: tuple[int, int], drawn: Sequence[DrawnView], recipe: CropRecipe
    ) -> Tensor:
        side, chips = recipe.size_px, len(rows)
        views = rows.new_empty(recipe.count, chips, len(self._channels), side, side)
        for out, view in zip(views, drawn, strict=True):
            _crop(rows, size, view, out)
            self._distort(out, view, recipe)
        return views.flatten(0, 1)

    def _distort(self, views: Tensor, drawn: DrawnView, recipe: CropRecipe) -> None:
        if drawn.speckle is not None:
            self._speckle[recipe.name].add(views, drawn.speckle)
        if drawn.colour is not None:
            apply_colour(views, drawn.colour)
        if drawn.solarised is not None and len(drawn.solarised):
            views[drawn.solarised] = solarised(views[drawn.solarised])
        if drawn.kept is not None:
            views.mul_(drawn.kept[..., None, None])


def _crop(rows: Tensor, size: tuple[int, int], drawn: DrawnView, out: Tensor) -> None:
    """Crop, resize, mirror, blur and turn into (b, C, s, s)."""
    down, across = drawn.geometry.matrices(size, out.shape[-1])
    if drawn.blur is not None:
        down, across = blurred(down, drawn.blur), blurred(across, drawn.blur)
    out.copy_(apply_to_both_axes(rows, down, across))
    turned = drawn.geometry.turned
    if len(turned):
        out[turned] = out[turned].transpose(2, 3)
