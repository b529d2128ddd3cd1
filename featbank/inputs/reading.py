"""Reading one batch: decode, check, and group chips of equal size, without torch."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import DecodeError, ReadError
from featbank.file_names import printable
from featbank.inputs.checks import refusal
from featbank.inputs.missing import (
    absent_bands,
    mark_missing,
    missing_key,
    missing_shares,
    stacked_masks,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from featbank.image import Array, Image, Reader
    from featbank.inputs.contract import Contract

# A network file system that stumbles is back within seconds; a dead one is not.
_WAITS_S = (0.1, 0.5, 2.0)


@dataclass(frozen=True)
class Group:
    """Chips of one batch that share their sizes and the bands that they have.

    Attributes:
        rows: (b,) positions inside the batch.
        grids: (b, C_g, H_g, W_g) pixels by grid, in native dtype; any value where one is missing.
        missing: (b, 1 or C_g, H_g, W_g) bool by grid, of grids where a pixel is missing.
        absent: Bands of which these chips hold no pixel.
    """

    rows: NDArray[np.intp]
    grids: Mapping[str, Array]
    missing: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()

    @property
    def planes(self) -> dict[str, Array]:
        """Pixels and masks in one mapping, as ``Preprocess`` takes them."""
        return {**self.grids, **{missing_key(name): mask for name, mask in self.missing.items()}}


@dataclass(frozen=True)
class ReadBatch:
    """One batch as read.

    Attributes:
        groups: The good chips, grouped by size; row order is kept inside each group.
        refused: Reason by position inside the batch.
        shares: Shares of missing pixels by position, as ``missing_shares`` gives them; of chips
            that miss none, nothing.
    """

    groups: list[Group]
    refused: Mapping[int, str] = field(default_factory=dict)
    shares: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)


def read_batch(reader: Reader, indices: Sequence[int], contract: Contract) -> ReadBatch:
    """Read and check the chips at ``indices``.

    Raises:
        ReadError: The disk or network failed three times over.
    """
    return as_batch([_read_one(reader, index, contract) for index in indices], contract)


def as_batch(chips: Sequence[Image | str], contract: Contract) -> ReadBatch:
    """A batch of chips, or of the reasons why they are refused, in their order."""
    alike: dict[tuple[Any, ...], list[tuple[int, Image]]] = {}
    refused, shares = {}, {}
    for position, chip in enumerate(chips):
        if isinstance(chip, str):
            refused[position] = chip
            continue
        found = missing_shares(chip, contract)
        absent: tuple[str, ...] = ()
        if found is not None:
            shares[position], absent = found, absent_bands(chip, contract)
        alike.setdefault((absent, *(a.shape for a in chip.values())), []).append((position, chip))
    groups = [_stack(chips, contract, absent=key[0]) for key, chips in alike.items()]
    return ReadBatch(groups, refused, shares)


def parts_of(groups: list[Group], most: int) -> list[list[Group]]:
    """Groups of a batch cut at every ``most``-th position of it, as views.

    Args:
        groups: Of one batch; rows ascend inside each.
        most: Positions of a part.

    Returns:
        Parts in order, without empty groups; the groups themselves where they are one part.
    """
    end = 1 + max((int(group.rows[-1]) for group in groups), default=0)
    if end <= most:
        return [groups]
    parts = [[_between(g, low, low + most) for g in groups] for low in range(0, end, most)]
    return [[group for group in part if len(group.rows)] for part in parts]


def _between(group: Group, low: int, high: int) -> Group:
    first, last = np.searchsorted(group.rows, (low, high))
    grids, missing = (
        {name: array[first:last] for name, array in arrays.items()}
        for arrays in (group.grids, group.missing)
    )
    return Group(group.rows[first:last], grids, missing, group.absent)


def _stack(
    numbered: list[tuple[int, Image]], contract: Contract, *, absent: tuple[str, ...]
) -> Group:
    rows = np.array([position for position, _ in numbered], dtype=np.intp)
    chips = [chip for _, chip in numbered]
    names = [grid.name for grid in contract.grids]
    grids = {name: np.stack([np.ma.getdata(chip[name]) for chip in chips]) for name in names}
    masks = {name: stacked_masks(chips, name) for name in names}
    missing = {name: mask for name, mask in masks.items() if mask is not None}
    return Group(rows, grids, missing, absent)


def _read_one(reader: Reader, index: int, contract: Contract) -> Image | str:
    try:
        image = _with_retries(reader, index)
    except DecodeError as error:
        return printable(f"{error.subject}: {error.found}")
    if any(grid.name not in image for grid in contract.grids):
        return refusal(image, contract)
    image = mark_missing(image, contract)
    return refusal(image, contract) or image


def _with_retries(reader: Reader, index: int) -> Image:
    for wait_s in (*_WAITS_S, None):
        try:
            return reader.read(index)
        except OSError as error:
            # A file that does not decode is a refused sample; a disk that fails is never one.
            if wait_s is None:
                raise ReadError(
                    str(error.filename or f"row {index}"),
                    f"cannot be read ({error.strerror or error})",
                    "a readable file",
                    "Repair the disk, network or file, then repeat the command to go on.",
                ) from error
            time.sleep(wait_s)
    raise AssertionError("the last attempt returns or raises")
