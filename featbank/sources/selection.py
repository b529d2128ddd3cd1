"""Which samples and bands of a dataset an embed run takes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bands import select_bands
from featbank.catalog import suggest
from featbank.errors import UnknownNameError
from featbank.image import BandPicker, Reader, files_of, pick_grids
from featbank.recipes.recipe import lines_sha256, text_sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featbank.datasets import Dataset
    from featbank.datasets.dataset import MaskReader
    from featbank.image import Array, Image
    from featbank.samples import Samples


class RowPicker:
    """A reader that renumbers the rows of another.

    Args:
        reader: The reader of the whole dataset.
        rows: (n,) rows to keep, in order.
    """

    def __init__(self, reader: Reader, rows: NDArray[np.intp]) -> None:
        self._reader = reader
        self._rows = rows

    def read(self, index: int) -> Image:
        """Pixels of the kept row ``index``."""
        return self._reader.read(int(self._rows[index]))

    def files(self, index: int) -> tuple[str, ...]:
        """Files of the kept row ``index``."""
        return files_of(self._reader, int(self._rows[index]))


class MaskRowPicker:
    """A reader of label maps that renumbers the rows of another.

    Args:
        reader: The reader of the whole dataset's maps.
        rows: (n,) rows to keep, in order.
    """

    def __init__(self, reader: MaskReader, rows: NDArray[np.intp]) -> None:
        self._reader = reader
        self._rows = rows

    def read_mask(self, index: int) -> Array:
        """Label map of the kept row ``index``."""
        return self._reader.read_mask(int(self._rows[index]))


def with_bands(dataset: Dataset, wanted: str) -> Dataset:
    """The dataset with some of its bands, in the order wanted.

    Raises:
        UnknownNameError: A band that the dataset does not have.
        ContractError: A role or sensor that it does not have.
    """
    bands = select_bands(dataset.bands, wanted, subject=dataset.name)
    names = tuple(band.name for band in bands)
    grids, picks = pick_grids(dataset.grids, names)
    reader = dataset.reader if grids == dataset.grids else BandPicker(dataset.reader, picks)
    return replace(dataset, bands=bands, grids=grids, reader=reader)


def with_limit(dataset: Dataset, limit: int, scheme: str) -> Dataset:
    """The first ``limit`` samples of each split in order of the hash of their ids.

    That order is mixed over classes and places, the same everywhere, and nested: a larger limit
    holds every smaller one.
    """
    split = dataset.samples.splits[scheme]
    keys = hash_order(dataset.samples.ids)
    kept = [keys[split[keys] == code][:limit] for code in np.unique(split)]
    return with_rows(dataset, np.sort(np.concatenate(kept)))


def with_rows(dataset: Dataset, rows: NDArray[np.intp]) -> Dataset:
    """The dataset with some of its rows, in the order given."""
    reader, masks = RowPicker(dataset.reader, rows), dataset.masks
    if masks is not None:
        masks = replace(masks, reader=MaskRowPicker(masks.reader, rows))
    return replace(dataset, samples=dataset.samples.take(rows), reader=reader, masks=masks)


def hash_order(ids: NDArray[Any]) -> NDArray[np.intp]:
    """Rows sorted by the SHA-256 of their sample id."""
    digests = np.array([hashlib.sha256(str(name).encode()).digest() for name in ids], dtype="S32")
    return np.argsort(digests, kind="stable")


def sampled_rows(samples: Samples, *, count: int, among: Sequence[int] | None = None) -> list[int]:
    """Rows of a repeatable sample of at most ``count``, in row order for sequential reading."""
    order = hash_order(samples.ids)
    if among is not None:
        order = order[np.isin(order, np.asarray(among))]
    return [int(row) for row in np.sort(order[:count])]


def scheme_of(samples: Samples, wanted: str | None, *, subject: str) -> str:
    """The true name of the split scheme named, or of the first.

    ``random-0`` is another name of ``stratified-0``, ``block-1km-0`` or the like, by which every
    record speaks of it.

    Raises:
        UnknownNameError: No scheme of this name.
    """
    if wanted is None:
        return samples.true_scheme(next(iter(samples.splits)))
    if wanted not in samples.splits:
        raise UnknownNameError(
            wanted,
            f"{subject} has no split scheme of this name",
            f"one of {', '.join(samples.splits)}",
            suggest(wanted, samples.splits),
        )
    return samples.true_scheme(wanted)


def fingerprint(samples: Samples) -> str:
    """SHA-256 of the sorted content digests: the identity of the imagery, wherever it stands."""
    digests = samples.digests
    if digests is None:
        # Samples that nobody took digests of are known by what their dataset says of them.
        digests = np.array([text_sha256(str(origin)) for origin in samples.origins], dtype=object)
    return lines_sha256(sorted(digests.tolist()))
