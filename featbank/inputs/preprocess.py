"""On the device: join grids, put bands in order, resize the whole chip, normalise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from featbank.image import Grid, band_order
from featbank.inputs.missing import missing_key
from featbank.layers.missing import Missing, area_average

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        fill: Value of each band, in the unit of the stored numbers, that stands for a missing
            pixel; None for bands that miss none.
    """

    grids: tuple[Grid, ...]
    bands: tuple[str, ...]
    image_size: int | None
    resize: str
    statistics: Statistics
    weights: tuple[tuple[float, ...], ...] | None = None
    fill: tuple[float, ...] | None = None


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
        self._fill = _fill(recipe, device)

    def __call__(self, planes: Mapping[str, Tensor]) -> Tensor:
        """Network input of native pixels, missing ones filled at native size.

        Args:
            planes: (b, C_g, H_g, W_g) by grid in native dtype, and (b, 1 or C_g, H_g, W_g) bool
                under ``missing_key`` of a grid with missing pixels.

        Returns:
            (b, C or M, H, W) float32.
        """
        size = self.size(planes)
        joined = torch.cat(
            [self._prepared(grid.name, planes, size) for grid in self._recipe.grids], dim=1
        )
        ordered = joined if self._is_ordered else joined.index_select(1, self._order)
        if self._mix is None:
            return ordered
        weights, shift = self._mix
        return torch.einsum("mc,bchw->bmhw", weights, ordered) + shift

    def missing(self, planes: Mapping[str, Tensor], absent: Sequence[str] = ()) -> Missing | None:
        """What is missing of the same input; None where nothing is.

        Args:
            planes: As above.
            absent: Bands that do not count, since the network is not given them.
        """
        names = [grid.name for grid in self._recipe.grids]
        if not any(missing_key(name) in planes for name in names):
            return None
        native = self._native(planes)
        masks = [_whole_mask(planes, name, native) for name in names]
        bands = torch.cat(masks, dim=1).index_select(1, self._order)
        counted = [at for at, band in enumerate(self._recipe.bands) if band not in absent]
        # Views, since an index made here would have the host wait for its copy.
        union = torch.stack([bands[:, at] for at in counted], dim=1).any(dim=1)
        if self._mix is not None:
            taken = (self._mix[0] != 0).float()
            bands = torch.einsum("mc,bchw->bmhw", taken, bands.float()) > 0
        size = self.size(planes)
        return Missing(
            pixels=area_average(union.float(), size), channels=area_average(bands.float(), size)
        )

    def size(self, planes: Mapping[str, Tensor]) -> tuple[int, int]:
        """Height and width of the network's input of native pixels."""
        if self._recipe.image_size is not None:
            return self._recipe.image_size, self._recipe.image_size
        return self._native(planes)

    def _native(self, planes: Mapping[str, Tensor]) -> tuple[int, int]:
        shapes = (planes[grid.name].shape for grid in self._recipe.grids)
        return max((shape[-2], shape[-1]) for shape in shapes)

    def _filled(self, name: str, planes: Mapping[str, Tensor]) -> Tensor:
        values, missing = planes[name].to(torch.float32), planes.get(missing_key(name))
        return values if missing is None else torch.where(missing, self._fill[name], values)

    def _prepared(self, name: str, planes: Mapping[str, Tensor], size: tuple[int, int]) -> Tensor:
        """Normalise and resize one grid, in the order that touches fewer pixels.

        Both are linear and resizing keeps constants, so the order does not matter to the result.
        """
        values = self._filled(name, planes)
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


def _whole_mask(planes: Mapping[str, Tensor], name: str, size: tuple[int, int]) -> Tensor:
    """(b, C_g, H, W) bool: the mask of a grid at another size, each pixel as the nearest one."""
    pixels, missing = planes[name], planes.get(missing_key(name))
    if missing is None:
        shape = (pixels.shape[0], pixels.shape[1], *size)
        return torch.zeros(shape, dtype=torch.bool, device=pixels.device)
    whole = missing.expand(-1, pixels.shape[1], -1, -1)
    if whole.shape[-2:] == size:
        return whole
    return functional.interpolate(whole.float(), size=size, mode="nearest-exact") > 0


def _fill(recipe: InputRecipe, device: torch.device) -> dict[str, Tensor]:
    """(1, C_g, 1, 1) values of missing pixels by grid."""
    values = recipe.fill or (0.0,) * len(recipe.bands)
    by_band = dict(zip(recipe.bands, values, strict=True))
    return {
        grid.name: _column([by_band[band] for band in grid.bands], device) for grid in recipe.grids
    }


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
