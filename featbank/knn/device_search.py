"""Passes of a search over a bank on a torch device, in tiles that the device's memory holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featbank.device import is_out_of_memory
from featbank.errors import MemoryShortError
from featbank.knn.device_bank import DeviceBank, fits
from featbank.knn.device_scan import DeviceScan

if TYPE_CHECKING:
    from collections.abc import Callable

    from featbank.image import Array
    from featbank.knn.bank import PreparedBank, TiledBank

# Scores of 4,096 queries by this many rows are 16 MB; what does not hold them holds nothing.
_LEAST_ROWS = 1024


class DeviceSearch:
    """Passes over one bank, which the device keeps for all of them where it can.

    Where the device's memory runs short, tiles are halved, and at last the bank is not kept;
    results do not depend on it.

    Args:
        bank: On the host.
        device: Name of the device.
        k: Neighbours of each query.
        keep: Candidates of each query.
        tile_rows: Bank rows multiplied at once.
        piece_rows: Bank rows put on the grid and copied at once.
    """

    def __init__(
        self,
        bank: PreparedBank | TiledBank,
        device: str,
        *,
        k: int,
        keep: int,
        tile_rows: int,
        piece_rows: int,
    ) -> None:
        place = torch.device(device)
        self._bank = DeviceBank(bank, place, piece_rows=piece_rows, may_keep=fits(bank, place))
        self._k, self._keep = k, keep
        self._tile_rows = min(tile_rows, len(bank))

    def candidates(
        self, queries: Array, exclude: Array | None, tell: Callable[[int], None]
    ) -> tuple[Array, Array, Array | None]:
        """Candidates of the queries of one pass.

        Args:
            queries: (Q, D) float32 of ``Space.query_rows``.
            exclude: (Q,) bank index that each query must not find, or None.
            tell: Takes how many more pairs of a query and a bank row are queued.

        Returns:
            Bank index (Q, keep), -1 for none; a bound (Q,) that no float32 score of another row is
            above; and (Q, keep) exact scores, the index then in increasing order, or None where
            the device does not keep the bank, so that they are the host's to compute.

        Raises:
            MemoryShortError: The device does not hold the scores of the smallest tile.
            ProbeError: A feature of the bank is not finite.
        """
        teller = _Teller(len(queries), tell)
        while True:
            try:
                return self._scanned(queries, exclude, teller)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            # Only once the exception is gone does nothing hold the memory of the pass.
            self._shrink(len(queries))

    def _scanned(
        self, queries: Array, exclude: Array | None, teller: _Teller
    ) -> tuple[Array, Array, Array | None]:
        scan = DeviceScan(queries, self._keep, place=self._bank.place, exclude=exclude)
        for start, rows, offsets in self._bank.tiles(self._tile_rows):
            scan.add(start, rows, offsets)
            teller.reached(start + len(rows))
        if self._bank.kept is None:
            return *scan.candidates(self._k), None
        return scan.rescored(*self._bank.kept)

    def _shrink(self, queries: int) -> None:
        if self._tile_rows > _LEAST_ROWS:
            self._tile_rows = max(_LEAST_ROWS, self._tile_rows // 2)
        elif self._bank.may_keep:
            self._bank.release()
        else:
            raise MemoryShortError(
                "memory of the GPU",
                f"does not hold the scores of {queries} queries and {self._tile_rows} bank rows",
                "room for them",
                "End other programs that use it, or pass --device cpu.",
            )
        if torch.cuda.is_available():
            # What is kept for reuse lies in pieces of the larger tile's sizes.
            torch.cuda.empty_cache()


class _Teller:
    """Tells of each bank row once, also where a pass begins again."""

    def __init__(self, queries: int, tell: Callable[[int], None]) -> None:
        self._queries, self._tell, self._end = queries, tell, 0

    def reached(self, end: int) -> None:
        """Tell of the rows up to ``end`` that are new."""
        more, self._end = max(0, end - self._end), max(end, self._end)
        self._tell(self._queries * more)
