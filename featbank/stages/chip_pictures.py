"""Chips of a store as pictures, read again from where the bank last saw the images."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featbank.bank.bank import bank_of
from featbank.errors import StoreError
from featbank.inputs.reading import read_batch
from featbank.stages.embed_plan import contract_of
from featbank.stages.opening import open_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from featbank.datasets import Dataset
    from featbank.image import Array
    from featbank.store.reader import Store

# Cut the darkest and brightest 2 % before stretching, so that one cloud or roof does not leave
# the rest of the chip black.
_PERCENTILES = (2.0, 98.0)


class ChipPictures:
    """Draws the chips of one store as a person expects to see them.

    Three-band chips and chips with red, green and blue are drawn in true colour, Sentinel-1 as VV,
    VH and their ratio, others by their first three bands, each stretched between its 2nd and 98th
    percentile.

    Args:
        store: A store in the bank that made it.

    Raises:
        StoreError: The bank does not know where the images are.
        MissingPathError: The images are no longer there.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dataset = dataset_of(store)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {str(sample): row for row, sample in enumerate(self.dataset.samples.ids)}

    def rgb(self, ids: Sequence[str]) -> list[NDArray[np.uint8]]:
        """Chips at their native size.

        Args:
            ids: Sample ids.

        Returns:
            (H, W, 3) red, green and blue of each, 0 to 255.

        Raises:
            StoreError: An image is gone, or a chip is refused.
        """
        missing = [sample for sample in ids if sample not in self._row_of]
        if missing:
            raise StoreError(
                str(self._store.path),
                f"the image of '{missing[0]}' is no longer in "
                f"{self.dataset.root or self.dataset.name}",
                "the images that were embedded",
                "Put them back, or embed again.",
            )
        return [self._one(sample) for sample in ids]

    def _one(self, sample: str) -> NDArray[np.uint8]:
        read = read_batch(self.dataset.reader, [self._row_of[sample]], contract_of(self.dataset))
        if read.refused:
            raise StoreError(sample, read.refused[0], "a good chip", "Leave it out.")
        return _stretched(_three_bands(self.dataset, read.groups[0].grids))


def dataset_of(store: Store) -> Dataset:
    """The dataset that a store was embedded from, opened again.

    Raises:
        StoreError: The bank does not know where the images are.
        MissingPathError: The images are no longer there.
    """
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


def _stretched(chip: NDArray[np.float64]) -> NDArray[np.uint8]:
    low, high = np.percentile(chip, _PERCENTILES, axis=(1, 2), keepdims=True)
    stretched = np.clip((chip - low) / np.maximum(high - low, 1e-9), 0, 1)
    # (3, H, W) -> (H, W, 3)
    return np.asarray(stretched.transpose(1, 2, 0) * 255).round().astype(np.uint8)
