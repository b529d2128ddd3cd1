"""Images: one chip as a mapping from grid to (C_g, H_g, W_g) bands, in native dtype."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from featbank.errors import ContractError

Array = NDArray[Any]
Image = Mapping[str, Array]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The bands of a chip that share one pixel size.

    Attributes:
        name: Key of the grid in an image, such as ``10m``.
        bands: Band names in the order of the array's first axis.
        dtype: NumPy dtype name of the stored numbers.
        size_px: (H, W); None where chips differ in size.

    Raises:
        ContractError: ``size_px`` is no pair of whole numbers.
    """

    name: str
    bands: tuple[str, ...]
    dtype: str
    size_px: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        _require_size(self.name, self.size_px)


def _is_side(side: object) -> bool:
    return isinstance(side, int) and side > 0


def _require_size(grid: str, size: object) -> None:
    """Refuse a declaration that no chip could keep: of 32 alone, chips of 32 x 32 px would not."""
    if size is None:
        return
    if isinstance(size, tuple) and len(size) == 2 and all(map(_is_side, size)):
        return
    side = size if isinstance(size, int) else 32
    raise ContractError(
        f"grid '{grid}'",
        f"size_px is {size!r}",
        "height and width in pixels, or None where chips differ in size",
        f"Write size_px=({side}, {side}) where every chip has {side} x {side} px.",
    )


class Reader(Protocol):
    """What a dataset hands to the reader processes: picklable, cheap to import, free of torch."""

    def read(self, index: int) -> Image:
        """Pixels of sample ``index``, unrounded, in native dtype and size.

        Raises:
            DecodeError: The file does not decode, or has the wrong number of bands.
            OSError: The disk or network failed; the sample is not at fault.
        """

    def files(self, index: int) -> tuple[str, ...]:
        """Paths of the files that ``read`` consults for sample ``index``, in a fixed order.

        The image comes first, then what changes the meaning of its pixels (masks, headers, world
        files). Their bytes are what the sample is known by. Empty for images that are computed.
        """


def files_of(reader: Reader, index: int) -> tuple[str, ...]:
    """Files of one sample; none where somebody else's reader does not name them."""
    files = getattr(reader, "files", None)
    return () if files is None else tuple(files(index))


def with_missing(pixels: Array, missing: Array | None) -> Array:
    """Pixels that know which of them are missing.

    Args:
        pixels: (C, H, W) numbers; those of missing pixels mean nothing.
        missing: (C, H, W) True where missing; None where nothing is.

    Returns:
        A masked array where something is missing, else the plain pixels.
    """
    if missing is None or not missing.any():
        return pixels
    return np.ma.MaskedArray(pixels, mask=missing)


@dataclass(frozen=True)
class BandPicker:
    """A reader that keeps some bands of another reader's images, grid by grid.

    Args:
        reader: The reader of whole images.
        picks: Row indices to keep of each grid; grids that are not named are dropped.
    """

    reader: Reader
    picks: Mapping[str, tuple[int, ...]]

    def read(self, index: int) -> Image:
        """Pixels of sample ``index``: the kept bands of the kept grids."""
        image = self.reader.read(index)
        return {grid: _picked(image[grid], list(rows)) for grid, rows in self.picks.items()}

    def files(self, index: int) -> tuple[str, ...]:
        """Files of the whole image, whichever bands are kept."""
        return files_of(self.reader, index)


def _picked(pixels: Array, rows: list[int]) -> Array:
    kept = pixels[rows]
    # What was missing may lie in the bands that are left out.
    if not isinstance(kept, np.ma.MaskedArray):
        return kept
    return with_missing(np.ma.getdata(kept), np.ma.getmaskarray(kept))


def pick_grids(
    grids: tuple[Grid, ...], names: tuple[str, ...]
) -> tuple[tuple[Grid, ...], dict[str, tuple[int, ...]]]:
    """Narrow grids to some bands, in each grid's own order.

    Returns:
        The narrowed grids, and for each the rows to keep.
    """
    picks = {
        grid.name: tuple(i for i, band in enumerate(grid.bands) if band in names) for grid in grids
    }
    kept = tuple(
        Grid(
            name=grid.name,
            bands=tuple(grid.bands[i] for i in picks[grid.name]),
            dtype=grid.dtype,
            size_px=grid.size_px,
        )
        for grid in grids
        if picks[grid.name]
    )
    return kept, {grid.name: picks[grid.name] for grid in kept}


def band_order(grids: tuple[Grid, ...], names: tuple[str, ...]) -> NDArray[np.intp]:
    """Where each wanted band stands once the grids are stacked one after another.

    Example:
        >>> grids = (Grid(name="a", bands=("x", "y"), dtype="f4"),)
        >>> band_order(grids, ("y", "x")).tolist()
        [1, 0]
    """
    stacked = [band for grid in grids for band in grid.bands]
    return np.array([stacked.index(name) for name in names], dtype=np.intp)
