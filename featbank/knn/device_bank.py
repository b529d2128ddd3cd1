"""A bank as a search on a torch device reads it: kept there, or copied there piece by piece."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import torch

from featbank.device import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from featbank.image import Array
    from featbank.knn.bank import PreparedBank, TiledBank

    Tile = tuple[int, Tensor, Tensor | None]


class DeviceBank:
    """Rows of a bank on a device, and their offsets.

    Args:
        bank: On the host.
        place: The device.
        piece_rows: Rows that are put on the grid and copied at once.
        may_keep: Whether the device keeps all rows, where it holds them; else they are copied
            again whenever they are read.

    Attributes:
        place: The device.
        may_keep: Whether it keeps them, or will.
    """

    def __init__(
        self,
        bank: PreparedBank | TiledBank,
        place: torch.device,
        *,
        piece_rows: int,
        may_keep: bool,
    ) -> None:
        self.place, self.may_keep = place, may_keep
        self._bank, self._piece_rows = bank, min(piece_rows, len(bank))
        self._kept: tuple[Tensor, Tensor | None] | None = None

    def __len__(self) -> int:
        return len(self._bank)

    @property
    def kept(self) -> tuple[Tensor, Tensor | None] | None:
        """(N, D) float32 rows and (N,) float64 offsets; None where they are not kept."""
        return self._kept

    def release(self) -> None:
        """Keep the rows no longer."""
        self._kept, self.may_keep = None, False

    def tiles(self, rows: int) -> Iterator[Tile]:
        """Pieces on the device: first row, (n, D) float32 rows, (n,) offsets.

        What is not kept is there until the next but one is asked for.

        Args:
            rows: Of a piece at most; of a bank that is not kept no more than are copied at once.

        Raises:
            ProbeError: A feature is not finite.
        """
        if self.may_keep and self._kept is None:
            self._keep()
        if self._kept is None:
            yield from self._copied(min(rows, self._piece_rows))
            return
        held, offsets = self._kept
        for start in range(0, len(self), rows):
            tile = slice(start, start + rows)
            yield start, held[tile], None if offsets is None else offsets[tile]

    def _keep(self) -> None:
        """Copy all rows, or find that there is no room for them."""
        try:
            held = torch.empty((len(self), self._bank.dim), device=self.place)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self.may_keep = False
            return
        ferry = Ferry((self._piece_rows, self._bank.dim), self.place)
        addends = []
        for start, piece, offsets in self._pieces(self._piece_rows):
            ferry.send(piece, held[start : start + len(piece)])
            addends.append(offsets)
        known = [part for part in addends if part is not None]
        self._kept = held, moved(np.concatenate(known), self.place) if known else None

    def _copied(self, rows: int) -> Iterator[Tile]:
        ferry = Ferry((rows, self._bank.dim), self.place)
        # One is multiplied while the other is copied.
        targets = cycle(torch.empty((2, rows, self._bank.dim), device=self.place).unbind())
        for start, piece, offsets in self._pieces(rows):
            held = next(targets)[: len(piece)]
            ferry.send(piece, held)
            # float32 is what the scores are; float64 is not known to every device.
            near = None if offsets is None else moved(offsets.astype(np.float32), self.place)
            yield start, held, near

    def _pieces(self, size: int) -> Iterator[tuple[int, Array, Array | None]]:
        for start, rows in self._bank.prepared(size):
            for first in range(0, len(rows), size):
                piece = rows[first : first + size]
                yield start + first, piece, self._bank.space.offsets(piece)


class Ferry:
    """Copies pieces of a bank to a device, in the order in which they are sent.

    On CUDA they go through page-locked memory on a stream beside that of the kernels. Of such
    memory there are two pieces: one is filled while the other is copied, and the host waits only
    where it would overtake the copy before the last.

    Args:
        shape: (n, D) of the largest piece.
        place: The device.
    """

    def __init__(self, shape: tuple[int, int], place: torch.device) -> None:
        self._place, self._is_cuda = place, place.type == "cuda"
        if self._is_cuda:
            self._stream = torch.cuda.Stream(place)  # type: ignore[no-untyped-call] # as below
            self._slots = cycle([_Slot(shape), _Slot(shape)])
            # The targets' memory may be what kernels queued earlier still read.
            self._before = torch.cuda.current_stream(place).record_event()

    def send(self, piece: Array, target: Tensor) -> None:
        """Start a copy that kernels queued from now on find whole.

        Kernels queued before the last ``send`` may read the target's memory: they do so first.

        Args:
            piece: (n, D) float32; it may change once this returns.
            target: (n, D) on the device.
        """
        if not self._is_cuda:
            target.copy_(torch.tensor(piece))
            return
        kernels = torch.cuda.current_stream(self._place)
        before, self._before = self._before, kernels.record_event()
        slot = next(self._slots)
        held = slot.filled(piece)
        self._stream.wait_event(before)
        with torch.cuda.stream(self._stream):
            target.copy_(held, non_blocking=True)
        slot.copied.record(self._stream)
        kernels.wait_event(slot.copied)


class _Slot:
    """Page-locked memory of one piece."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._memory = torch.empty(shape, pin_memory=True)
        self.copied = torch.cuda.Event()  # type: ignore[no-untyped-call] # torch leaves it untyped

    def filled(self, piece: Array) -> Tensor:
        """A piece in this memory, once the copy of the one before has left it."""
        self.copied.synchronize()
        held = self._memory[: len(piece)]
        held.numpy()[...] = piece
        return held


def moved(values: Array, place: torch.device) -> Tensor:
    """Values on the device; on CUDA the host does not wait until they are there."""
    # torch warns of arrays that may not be written.
    held = torch.from_numpy(np.require(values, requirements=["C", "W"]))
    return (held.pin_memory() if place.type == "cuda" else held).to(place, non_blocking=True)


def fits(bank: PreparedBank | TiledBank, place: torch.device) -> bool:
    """Whether rows and offsets take no more than half of the memory that is free on a CUDA device.

    The other half is for scores and for other programs.
    """
    if place.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(place)
    # What torch holds for reuse, such as the memory of the last bank, is free to it.
    free += torch.cuda.memory_reserved(place) - torch.cuda.memory_allocated(place)
    return len(bank) * (4 * bank.dim + 8) <= free // 2
