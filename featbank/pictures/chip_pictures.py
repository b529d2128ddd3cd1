"""Chips of a store as pictures, read again from where the bank last saw the images."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featbank.bank.bank import bank_of
from featbank.catalog import suggest
from featbank.errors import DecodeError, StoreError, UnknownNameError
from featbank.inputs.checks import refusal
from featbank.inputs.missing import mark_missing
from featbank.pictures.rendering import (
    Limits,
    as_picture,
    as_tile,
    channels,
    darkened,
    limits_of,
)
from featbank.pictures.shown_bands import shown_bands
from featbank.sources.opening import open_dataset
from featbank.sources.reading_rules import contract_of
from featbank.sources.selection import sampled_rows, with_bands
from featbank.sources.units import with_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featbank.datasets import Dataset
    from featbank.image import Array
    from featbank.store.reader import Store

# Chips whose pixels settle the limits.
_STRETCH_CHIPS = 128
# Decoding frees the interpreter; more threads than this wait for the disk or for each other.
_MAX_THREADS = 8
# A tile of a chip that cannot be drawn.
GREY_TILE = 200
# Looking for a near id among more takes seconds.
_SUGGESTED_AMONG = 20_000


class ChipPictures:
    """Draws the chips of one store as a person expects to see them.

    Eight-bit imagery is shown as it is. Reflectance is drawn in true colour, by the bands' roles or
    else by wavelength; Sentinel-1 as VV, VH and their ratio in dB; other imagery by its first three
    bands, or its only one in grey. All chips of a dataset share the limits of their colours, from
    percentiles of a repeatable sample of its chips: colours can be compared between chips, and a
    chip of dark sea stays dark.

    Args:
        store: A store in the bank that made it.

    Attributes:
        dataset: What the chips are read from, all its bands.
        shown: Which bands are drawn.

    Raises:
        StoreError: The bank does not know where the images are.
        MissingPathError: The images are no longer there.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dataset = dataset_of(store)
        self.shown = shown_bands(self.dataset)
        self._narrow = _narrowed(self.dataset, self.shown.bands)
        # Which chips are drawn is told by the store; a chip of one colour is a picture too.
        self._contract = replace(contract_of(self._narrow), allows_constant=True, max_missing=1.0)

    def rgb(self, ids: Sequence[str]) -> list[NDArray[np.uint8]]:
        """Chips at the size of their finest band that is drawn.

        Args:
            ids: Sample ids of the store.

        Returns:
            (H, W, 3) red, green and blue of each, 0 to 255, in the order of the ids.

        Raises:
            UnknownNameError: An id that the store does not hold.
            StoreError: An image is gone, or does not read.
        """
        self._require_held(ids)
        with ThreadPoolExecutor(_threads()) as pool:
            return list(pool.map(self._picture, ids))

    def thumbnails(self, ids: Sequence[str], side_px: int) -> NDArray[np.uint8]:
        """Small square pictures: the centre of each chip, averaged over areas.

        Chips are read one a thread and never held together. A chip that was refused, that is gone
        or that does not read is a grey tile.

        Args:
            ids: Sample ids of the store.
            side_px: Side of a picture.

        Returns:
            (n, side_px, side_px, 3), 0 to 255, in the order of the ids.

        Raises:
            UnknownNameError: An id that the store does not hold.
        """
        self._require_held(ids)
        tiles = np.full((len(ids), side_px, side_px, 3), GREY_TILE, dtype=np.uint8)

        limits, valid = self._limits, self._store.valid

        def draw(place: int) -> None:
            sample = str(ids[place])
            found = self._read(sample) if valid[self._place_of[sample]] else "refused"
            if not isinstance(found, str):
                tiles[place] = as_tile(as_picture(found, limits), side_px)

        with ThreadPoolExecutor(_threads()) as pool:
            list(pool.map(draw, range(len(ids))))
        return tiles

    @cached_property
    def _limits(self) -> Limits | None:
        """What is black and what is bright in all chips; None where they are eight-bit."""
        if self.shown.is_ready:
            return None
        ids = self.dataset.samples.ids
        sample = sampled_rows(self.dataset.samples, count=min(_STRETCH_CHIPS, len(ids)))
        with ThreadPoolExecutor(_threads()) as pool:
            read = pool.map(self._read, [str(ids[row]) for row in sample])
            good = [chip for chip in read if not isinstance(chip, str)]
        if not good:
            raise StoreError(
                str(self._store.path),
                f"none of {len(sample)} chips of {self.dataset.name} can be read",
                "the images that were embedded",
                "Put them back, or embed again.",
            )
        return limits_of(good, self.shown)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        """Row in the dataset, which may hold more chips than the store."""
        return {str(sample): row for row, sample in enumerate(self.dataset.samples.ids)}

    @cached_property
    def _place_of(self) -> dict[str, int]:
        return {str(sample): row for row, sample in enumerate(self._store.ids)}

    def _picture(self, sample: str) -> NDArray[np.uint8]:
        found = self._read(str(sample))
        if isinstance(found, str):
            raise StoreError(
                f"chip '{sample}'",
                found,
                "the image that was embedded",
                "Put it back, or leave it out.",
            )
        return as_picture(found, self._limits)

    def _read(self, sample: str) -> Array | str:
        """(C, H, W) of what is drawn, or why it cannot be."""
        row = self._row_of.get(sample)
        if row is None:
            return f"its image is no longer in {self.dataset.root or self.dataset.name}"
        try:
            image = self._narrow.reader.read(row)
        except DecodeError as error:
            return f"does not decode ({error.subject}: {error.found})"
        except OSError as error:
            return f"cannot be read ({error.strerror or error})"
        image = mark_missing(image, self._contract)
        reason = refusal(image, self._contract)
        dark = {name: darkened(pixels) for name, pixels in image.items()}
        return reason or channels(dark, self._narrow.grids, self.shown)

    def _require_held(self, ids: Sequence[str]) -> None:
        unknown = next((str(sample) for sample in ids if str(sample) not in self._place_of), None)
        if unknown is None:
            return
        near = suggest(unknown, list(self._place_of)[:_SUGGESTED_AMONG])
        raise UnknownNameError(
            unknown,
            f"{self._store.path.name} holds no such sample",
            f"one of its {len(self._store)} sample ids",
            near,
        )


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
    dataset = open_dataset(
        str(source["dataset"]),
        chips=source["chips"],
        data_root=Path(root) if root else None,
        needs_labels=source.get("needs_labels", True),
    )
    return with_unit(dataset, source.get("unit"))


def _narrowed(dataset: Dataset, bands: tuple[str, ...]) -> Dataset:
    """The dataset with the bands that are drawn; files of other bands are not read."""
    narrow = with_bands(dataset, ",".join(bands))
    only = getattr(dataset.reader, "only", None)
    return narrow if only is None else replace(narrow, reader=only(narrow.grids))


def _threads() -> int:
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return min(_MAX_THREADS, cores)
