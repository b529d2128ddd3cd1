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
        statistics: Normalisation, of the channels where there are weights.
        weights: (M, C) rows that make channels of the bands; None where channels are the bands.
    """

    grids: tuple[Grid, ...]
    bands: tuple[str, ...]
    image_size: int | None
    resize: str
    statistics: Statistics
    weights: tuple[tuple[float, ...], ...] | None = None


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
        self._mix = _mix(recipe, device)
        self._affine = {} if recipe.weights else _affine(recipe, device)

    def __call__(self, grids: Mapping[str, Tensor]) -> Tensor:
        """(b, C_g, H_g, W_g) by grid, native dtype -> (b, C or M, H, W) float32."""
        size = self._size(grids)
        joined = torch.cat(
            [self._prepared(grid.name, grids[grid.name], size) for grid in self._recipe.grids],
            dim=1,
        )
        ordered = joined if self._is_ordered else joined.index_select(1, self._order)
        if self._mix is None:
            return ordered
        weights, shift = self._mix
        return torch.einsum("mc,bchw->bmhw", weights, ordered) + shift

    def _size(self, grids: Mapping[str, Tensor]) -> tuple[int, int]:
        if self._recipe.image_size is not None:
            return self._recipe.image_size, self._recipe.image_size
        return max((grid.shape[-2], grid.shape[-1]) for grid in grids.values())

    def _prepared(self, name: str, pixels: Tensor, size: tuple[int, int]) -> Tensor:
        """Normalise and resize one grid, in the order that touches fewer pixels.

        Both are linear and resizing keeps constants, so the order does not matter to the result.
        """
        values = pixels.to(torch.float32)
        if self._mix is not None:
            # Channels are normalised once they are made.
            return self._resized(values, size)
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


def _affine(recipe: InputRecipe, device: torch.device) -> dict[str, tuple[Tensor, Tensor]]:
    """(x - mean) / std of each grid as one multiply-add; made in float64, applied in float32."""
    mean = dict(zip(recipe.bands, recipe.statistics.mean, strict=True))
    std = dict(zip(recipe.bands, recipe.statistics.std, strict=True))
    return {
        grid.name: (
            _column([-mean[band] / std[band] for band in grid.bands], device),
            _column([1 / std[band] for band in grid.bands], device),
        )
        for grid in recipe.grids
    }


def _mix(recipe: InputRecipe, device: torch.device) -> tuple[Tensor, Tensor] | None:
    """Channels of bands and their normalisation as one matrix (M, C) and shift (1, M, 1, 1)."""
    if recipe.weights is None:
        return None
    mean = torch.tensor(recipe.statistics.mean, dtype=torch.float64)
    std = torch.tensor(recipe.statistics.std, dtype=torch.float64)
    weights = torch.tensor(recipe.weights, dtype=torch.float64) / std[:, None]
    return weights.float().to(device), _column((-mean / std).tolist(), device)


def _column(numbers: list[float], device: torch.device) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64).float().reshape(1, -1, 1, 1).to(device)


def resize_antialiased(values: Tensor, size: tuple[int, int], method: str) -> Tensor:
    """Resize (b, C, H, W) float images, antialiased, without clamping: bicubic or bilinear."""
    return functional.interpolate(values, size=size, mode=method, antialias=True)
