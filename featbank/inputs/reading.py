"""Reading one batch: decode, check, and group chips of equal size, without torch."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import DecodeError, ReadError
from featbank.file_names import printable
from featbank.inputs.checks import Contract, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from featbank.image import Array, Image, Reader

# A network file system that stumbles is back within seconds; a dead one is not.
_WAITS_S = (0.1, 0.5, 2.0)


@dataclass(frozen=True)
class Group:
    """Chips of one batch that share their sizes.

    Attributes:
        rows: (b,) positions inside the batch.
        grids: (b, C_g, H_g, W_g) pixels by grid, in native dtype.
    """

    rows: NDArray[np.intp]
    grids: Mapping[str, Array]


@dataclass(frozen=True)
class ReadBatch:
    """One batch as read.

    Attributes:
        groups: The good chips, grouped by size; row order is kept inside each group.
        refused: Reason by position inside the batch.
    """

    groups: list[Group]
    refused: Mapping[int, str] = field(default_factory=dict)


def read_batch(reader: Reader, indices: Sequence[int], contract: Contract) -> ReadBatch:
    """Read and check the chips at ``indices``.

    Raises:
        ReadError: The disk or network failed three times over.
    """
    return as_batch([_read_one(reader, index, contract) for index in indices], contract)


def as_batch(chips: Sequence[Image | str], contract: Contract) -> ReadBatch:
    """A batch of chips, or of the reasons why they are refused, in their order."""
    by_shape: dict[tuple[tuple[int, ...], ...], list[tuple[int, Image]]] = {}
    refused = {}
    for position, chip in enumerate(chips):
        if isinstance(chip, str):
            refused[position] = chip
        else:
            by_shape.setdefault(tuple(a.shape for a in chip.values()), []).append((position, chip))
    return ReadBatch([_stack(chips, contract) for chips in by_shape.values()], refused)


def _stack(chips: list[tuple[int, Image]], contract: Contract) -> Group:
    rows = np.array([position for position, _ in chips], dtype=np.intp)
    grids = {grid.name: np.stack([chip[grid.name] for _, chip in chips]) for grid in contract.grids}
    return Group(rows, grids)


def _read_one(reader: Reader, index: int, contract: Contract) -> Image | str:
    try:
        image = _with_retries(reader, index)
    except DecodeError as error:
        return printable(f"{error.subject}: {error.found}")
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
