"""A reader process: takes rows from a pipe, leaves pixels in shared memory, without torch.

It is started as a plain ``python -P -c`` rather than through ``multiprocessing``, so that a user's
script needs no ``if __name__ == "__main__"`` guard, and that no file of the folder that the user
stands in is imported.
"""

from __future__ import annotations

import contextlib
import mmap
import pickle
import signal
import sys
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import ReadError
from featbank.inputs.reading import ReadBatch, read_batch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featbank.image import Array

_ALIGN = 64


@dataclass(frozen=True)
class SharedArray:
    """An array that lies in shared memory."""

    offset: int
    shape: tuple[int, ...]
    dtype: str

    def view(self, memory: mmap.mmap) -> Array:
        """The array itself, without a copy."""
        count = int(np.prod(self.shape))
        flat = np.frombuffer(memory, dtype=self.dtype, count=count, offset=self.offset)
        return flat.reshape(self.shape)


@dataclass(frozen=True)
class PlacedGroup:
    """A group whose arrays may lie in shared memory."""

    rows: NDArray[np.intp]
    grids: Mapping[str, SharedArray | Array]
    missing: Mapping[str, SharedArray | Array]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class PlacedBatch:
    """A batch whose arrays may lie in shared memory."""

    groups: list[PlacedGroup]
    refused: Mapping[int, str]
    shares: Mapping[int, NDArray[np.float32]]


class Slot:
    """A part of shared memory that a batch's arrays move into, one behind another.

    Args:
        memory: The shared memory.
        start: Where the slot begins.
        size: Its bytes.
    """

    def __init__(self, memory: mmap.mmap, start: int, size: int) -> None:
        self._memory = memory
        self._offset = start
        self._end = start + size

    def take(self, array: Array) -> SharedArray | Array:
        """Where the array lies now; one that does not fit stays as it is."""
        if self._offset + array.nbytes > self._end:
            return array
        spot = SharedArray(self._offset, array.shape, str(array.dtype))
        spot.view(self._memory)[...] = array
        self._offset += -(-array.nbytes // _ALIGN) * _ALIGN
        return spot


def place(batch: ReadBatch, slot: Slot) -> PlacedBatch:
    """Move a batch's arrays into shared memory."""
    groups = [
        PlacedGroup(
            group.rows,
            {name: slot.take(pixels) for name, pixels in group.grids.items()},
            {name: slot.take(mask) for name, mask in group.missing.items()},
            group.absent,
        )
        for group in batch.groups
    ]
    return PlacedBatch(groups, batch.refused, batch.shares)


def serve(connection: Connection) -> None:
    """Answer requests until the other end closes."""
    path, memory_fd, memory_size = connection.recv()
    # An editable installation may stand in the folder that the parent left out of its path.
    sys.path[:] = [*path, *(own for own in sys.path if own not in path)]
    reader, contract = pickle.loads(connection.recv_bytes())
    memory = mmap.mmap(memory_fd, memory_size)
    while True:
        indices, start, size = connection.recv()
        try:
            answer: object = place(read_batch(reader, indices, contract), Slot(memory, start, size))
        except ReadError as error:
            answer = error
        except MemoryError:
            answer = ReadError(
                f"a batch of {len(indices)} chips",
                "does not fit into memory",
                "room for its pixels in each reader process",
                "Lower --batch-size or --workers.",
            )
        except Exception:
            # A dataset's bug must reach the parent whole.
            answer = traceback.format_exc()
        connection.send(answer)


def main(descriptor: int) -> None:
    """Serve on an inherited pipe until the parent closes it or dies."""
    # Ctrl-C reaches the whole process group; only the parent decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        serve(Connection(descriptor))
