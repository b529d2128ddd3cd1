"""Pictures of a store's chips, read again from where the bank last saw the images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featbank.bank.bank import bank_of
from featbank.errors import StoreError
from featbank.inputs.reading import read_batch
from featbank.stages.embed_plan import contract_of
from featbank.stages.opening import open_dataset
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

    from featbank.datasets import Dataset
    from featbank.image import Array

_SIDE_PX = 160
_COLUMNS = 8
_LABEL_PX = 14
# Cut the darkest and brightest 2 % before stretching, so that one cloud or roof does not leave
# the rest of the chip black.
_PERCENTILES = (2.0, 98.0)


def open_store(path: str | Path) -> Store:
    """Open a finished store, with pictures of its chips where the images are still there.

    Args:
        path: The store's path.

    Raises:
        MissingPathError: There is no store at this path.
        UnfinishedStoreError: Its embedding has not finished.
    """
    return Store(Path(path), show=chip_sheet)


def chip_sheet(store: Store, ids: Sequence[str]) -> Picture:
    """A sheet of chips, eight in a row, each with the end of its id.

    Three-band chips and chips with red, green and blue are drawn in true colour, Sentinel-1 as VV,
    VH and their ratio, others by their first three bands, each stretched between its 2nd and 98th
    percentile.

    Raises:
        StoreError: The bank does not know where the images are, or a chip is refused.
    """
    from PIL import Image, ImageDraw

    tiles = [_tile(chip) for chip in _chips(store, ids)]
    columns = min(_COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * _SIDE_PX, rows * (_SIDE_PX + _LABEL_PX)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (name, tile) in enumerate(zip(ids, tiles, strict=True)):
        x, y = number % columns * _SIDE_PX, number // columns * (_SIDE_PX + _LABEL_PX)
        sheet.paste(tile.resize((_SIDE_PX - 4, _SIDE_PX - 4), Image.Resampling.NEAREST), (x, y))
        draw.text((x, y + _SIDE_PX - 3), name[-26:], fill="black")
    return sheet


def _chips(store: Store, ids: Sequence[str]) -> list[NDArray[np.float64]]:
    dataset = _dataset(store)
    row_of = {str(sample): row for row, sample in enumerate(dataset.samples.ids)}
    missing = [sample for sample in ids if sample not in row_of]
    if missing:
        raise StoreError(
            str(store.path),
            f"the image of '{missing[0]}' is no longer in {dataset.root or dataset.name}",
            "the images that were embedded",
            "Put them back, or embed again.",
        )
    rows = [row_of[sample] for sample in ids]
    batch = [read_batch(dataset.reader, [row], contract_of(dataset)) for row in rows]
    for sample, read in zip(ids, batch, strict=True):
        if read.refused:
            raise StoreError(sample, read.refused[0], "a good chip", "Leave it out.")
    return [_three_bands(dataset, read.groups[0].grids) for read in batch]


def _dataset(store: Store) -> Dataset:
    source = bank_of(store.path).source(store.path)
    if not source:
        raise StoreError(
            str(store.path),
            "its bank does not remember where the images are",
            "a store in the bank that 'featbank embed' made it in",
            "Embed again in this bank.",
        )
    root = source.get("data_root")
    return open_dataset(
        str(source["dataset"]),
        chips=source["chips"],
        data_root=Path(root) if root else None,
        needs_labels=source.get("needs_labels", True),
    )


def _three_bands(dataset: Dataset, grids: Mapping[str, Array]) -> NDArray[np.float64]:
    """(3, H, W): red, green and blue; VV, VH and VV-VH; or else the first bands."""
    names = [band for grid in dataset.grids for band in grid.bands]
    if set(names) == {"VV", "VH"}:
        vv, vh = (_plane(dataset, grids, name) for name in ("VV", "VH"))
        return np.stack([vv, vh, vv - vh])
    by_role = {band.role: band.name for band in dataset.bands}
    wanted = [by_role.get(role, "") for role in ("red", "green", "blue")]
    if not set(wanted) <= set(names):
        wanted = (names * 3)[:3] if len(names) < 3 else names[:3]
    planes = [_plane(dataset, grids, name) for name in wanted]
    side = max(plane.shape[0] for plane in planes)
    return np.stack([np.kron(p, np.ones((side // p.shape[0],) * 2)) for p in planes])


def _plane(dataset: Dataset, grids: Mapping[str, Array], band: str) -> NDArray[np.float64]:
    grid = next(grid for grid in dataset.grids if band in grid.bands)
    return np.asarray(grids[grid.name][0, grid.bands.index(band)], dtype=np.float64)


def _tile(chip: NDArray[np.float64]) -> Picture:
    from PIL import Image

    low, high = np.percentile(chip, _PERCENTILES, axis=(1, 2), keepdims=True)
    stretched = np.clip((chip - low) / np.maximum(high - low, 1e-9), 0, 1)
    # (3, H, W) -> (H, W, 3)
    return Image.fromarray((stretched.transpose(1, 2, 0) * 255).round().astype(np.uint8))
