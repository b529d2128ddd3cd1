"""On the device: join grids, put bands in order, resize the whole chip, normalise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from featbank.image import Grid, band_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.inputs.normalise import Statistics

RESIZES = ("bicubic", "bilinear", "nearest")


@dataclass(frozen=True, kw_only=True)
class InputRecipe:
    """How pixels become a network's input.

    Attributes:
        grids: Grids of the dataset, narrowed to the bands wanted.
        bands: Band names in the order that the network takes.
        image_size: Side in pixels, or None for the native size of the finest grid.
        resize: Method among ``RESIZES``; at native size coarser grids are replicated instead.
        statistics: Normalisation.
    """

    grids: tuple[Grid, ...]
    bands: tuple[str, ...]
    image_size: int | None
    resize: str
    statistics: Statistics


class Preprocess:
    """Turns native pixels into network input, on whatever device the pixels are.

    Args:
        recipe: How.
        device: Where the statistics live.
    """

    def __init__(self, recipe: InputRecipe, device: torch.device) -> None:
        self._recipe = recipe
        order = band_order(recipe.grids, recipe.bands)
        self._order = torch.from_numpy(order).to(device)
        self._is_ordered = order.tolist() == list(range(len(order)))
        mean = torch.tensor(recipe.statistics.mean, dtype=torch.float64)
        std = torch.tensor(recipe.statistics.std, dtype=torch.float64)
        # (x - mean) / std as one multiply-add; made in float64, applied in float32.
        self._scale = (1 / std).float().reshape(1, -1, 1, 1).to(device)
        self._shift = (-mean / std).float().reshape(1, -1, 1, 1).to(device)

    def __call__(self, grids: Mapping[str, Tensor]) -> Tensor:
        """(b, C_g, H_g, W_g) by grid, native dtype -> (b, C, H, W) float32."""
        size = self._size(grids)
        joined = torch.cat(
            [self._resized(grids[grid.name], size) for grid in self._recipe.grids], dim=1
        )
        if not self._is_ordered:
            joined = joined.index_select(1, self._order)
        return torch.addcmul(self._shift, joined, self._scale)

    def _size(self, grids: Mapping[str, Tensor]) -> tuple[int, int]:
        if self._recipe.image_size is not None:
            return self._recipe.image_size, self._recipe.image_size
        return max((grid.shape[-2], grid.shape[-1]) for grid in grids.values())

    def _resized(self, pixels: Tensor, size: tuple[int, int]) -> Tensor:
        values = _as_float(pixels)
        if values.shape[-2:] == size:
            return values
        if self._recipe.image_size is None or self._recipe.resize == "nearest":
            # Replicated pixels keep each band's mean, spread, minimum and maximum.
            return functional.interpolate(values, size=size, mode="nearest-exact")
        return resize_antialiased(values, size, self._recipe.resize)


def resize_antialiased(values: Tensor, size: tuple[int, int], method: str) -> Tensor:
    """Resize (b, C, H, W) float images, antialiased, without clamping: bicubic or bilinear."""
    return functional.interpolate(values, size=size, mode=method, antialias=True)


def _as_float(pixels: Tensor) -> Tensor:
    return pixels.to(torch.float32)
