"""Chips of a small dataset are decoded once and kept in memory for the passes that follow.

Decoding is a fifth of the processor's time where a small network is trained on small images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.inputs.reader_pool import PoolConfig, ReaderPool
from featbank.inputs.reading import Group, ReadBatch, as_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from featbank.image import Array, Image

_GIB = 1 << 30


def fits(chip_bytes: int, chips: int, limit_gb: float) -> bool:
    """Whether that many chips may be kept.

    Args:
        chip_bytes: Of the largest chip.
        chips: How many there are.
        limit_gb: Memory to spend on them, in GiB.
    """
    return chip_bytes * chips <= limit_gb * _GIB


class KeptChips:
    """Reads passes over the same rows; a chip that was read once comes from memory.

    Args:
        config: How to read.
        is_keeping: Whether chips are kept; if not, every pass reads all of its chips.
    """

    def __init__(self, config: PoolConfig, *, is_keeping: bool) -> None:
        self._pool = ReaderPool(config)
        self._contract = config.contract
        self._is_keeping = is_keeping
        # Chips by row, or why they are refused.
        self._chips: dict[int, Image | str] = {}

    @property
    def is_keeping(self) -> bool:
        """Whether chips are kept."""
        return self._is_keeping

    @property
    def waited_s(self) -> float:
        """Seconds spent waiting for chips."""
        return self._pool.waited_s

    def close(self) -> None:
        """Stop the reader processes."""
        self._pool.close()

    def read(self, batches: Iterable[Sequence[int]]) -> Iterator[ReadBatch]:
        """One pass: batches of rows, in order, each the same as a reader would give it.

        Arrays may lie in memory that the next batch takes: they hold until then.

        Raises:
            ReadError: The disk failed, or a reader process died.
        """
        if not self._is_keeping:
            yield from self._pool.read(batches)
            return
        batches = list(batches)
        is_kept = [all(row in self._chips for row in rows) for rows in batches]
        wanted = [rows for rows, kept in zip(batches, is_kept, strict=True) if not kept]
        read = self._pool.read(wanted)
        for rows, kept in zip(batches, is_kept, strict=True):
            if kept:
                yield as_batch([self._chips[row] for row in rows], self._contract)
            else:
                batch = next(read)
                self._keep(rows, batch)
                yield batch

    def _keep(self, rows: Sequence[int], batch: ReadBatch) -> None:
        for position, why in batch.refused.items():
            self._chips[rows[position]] = why
        for group in batch.groups:
            for place, position in enumerate(group.rows.tolist()):
                self._chips[rows[position]] = _chip(group, place)


def _chip(group: Group, place: int) -> Image:
    """One chip of a group, copied: the reader's memory is used again."""
    chip: dict[str, Array] = {}
    for name, pixels in group.grids.items():
        chip[name] = pixels[place].copy()
        mask = group.missing.get(name)
        if mask is not None and mask[place].any():
            whole = np.broadcast_to(mask[place], pixels[place].shape)
            chip[name] = np.ma.MaskedArray(chip[name], whole.copy())
    return chip
