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
        mean = dict(zip(recipe.bands, recipe.statistics.mean, strict=True))
        std = dict(zip(recipe.bands, recipe.statistics.std, strict=True))
        # (x - mean) / std as one multiply-add; made in float64, applied in float32.
        self._affine = {
            grid.name: (
                _column([-mean[band] / std[band] for band in grid.bands], device),
                _column([1 / std[band] for band in grid.bands], device),
            )
            for grid in recipe.grids
        }

    def __call__(self, grids: Mapping[str, Tensor]) -> Tensor:
        """(b, C_g, H_g, W_g) by grid, native dtype -> (b, C, H, W) float32."""
        size = self._size(grids)
        joined = torch.cat(
            [self._prepared(grid.name, grids[grid.name], size) for grid in self._recipe.grids],
            dim=1,
        )
        return joined if self._is_ordered else joined.index_select(1, self._order)

    def _size(self, grids: Mapping[str, Tensor]) -> tuple[int, int]:
        if self._recipe.image_size is not None:
            return self._recipe.image_size, self._recipe.image_size
        return max((grid.shape[-2], grid.shape[-1]) for grid in grids.values())

    def _prepared(self, name: str, pixels: Tensor, size: tuple[int, int]) -> Tensor:
        """Normalise and resize one grid, in the order that touches fewer pixels.

        Both are linear and resizing keeps constants, so the order does not matter to the result.
        """
        values = pixels.to(torch.float32)
        shift, scale = self._affine[name]
        if values.shape[-2] * values.shape[-1] <= size[0] * size[1]:
            return self._resized(torch.addcmul(shift, values, scale), size)
        return torch.addcmul(shift, self._resized(values, size), scale)

    def _resized(self, values: Tensor, size: tuple[int, int]) -> Tensor:
        if values.shape[-2:] == size:
            return values
        if self._recipe.image_size is None or self._recipe.resize == "nearest":
            # Replicated pixels keep each band's mean, spread, minimum and maximum.
            return functional.interpolate(values, size=size, mode="nearest-exact")
        return resize_antialiased(values, size, self._recipe.resize)


def _column(numbers: list[float], device: torch.device) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64).float().reshape(1, -1, 1, 1).to(device)


def resize_antialiased(values: Tensor, size: tuple[int, int], method: str) -> Tensor:
    """Resize (b, C, H, W) float images, antialiased, without clamping: bicubic or bilinear."""
    return functional.interpolate(values, size=size, mode=method, antialias=True)
