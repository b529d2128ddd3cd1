"""Both passes of a search on a torch device: candidates by float32 scores, their exact scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from featbank.knn.device_bank import moved
from featbank.knn.scan import hopeless, score_error

if TYPE_CHECKING:
    from torch import Tensor

    from featbank.image import Array

# Bank rows gathered at once for their exact scores, in float32 and in float64: enough to keep a
# device busy, and little beside the scores of a tile.
_GATHERED_BYTES = 256 << 20


class DeviceScan:
    """Running candidates of some queries, as ``Scan`` has them on the host.

    All shapes are known beforehand, so that the host queues tile after tile and waits for none.

    Args:
        queries: (Q, D) float32 of ``Space.query_rows``.
        keep: Candidates of each query.
        place: The device.
        exclude: (Q,) bank index that each query must not find, or None.
    """

    def __init__(
        self, queries: Array, keep: int, *, place: torch.device, exclude: Array | None
    ) -> None:
        shape = (len(queries), keep)
        self._error, self._seen = score_error(queries), 0
        self._queries = moved(queries, place)
        self._exclude = None if exclude is None else moved(exclude.astype(np.int64), place)
        self._values = torch.full(shape, -torch.inf, device=place)
        self._index = torch.full(shape, -1, dtype=torch.int64, device=place)

    def add(self, start: int, rows: Tensor, offsets: Tensor | None) -> None:
        """Take in bank rows from ``start`` on.

        Args:
            start: Bank index of the first of them.
            rows: (n, D) float32 of ``Space.bank_rows``, on the device.
            offsets: (n,) of ``Space.offsets``.
        """
        found = self._queries @ rows.T
        if offsets is not None:
            found += offsets.float()
        if self._exclude is not None:
            _leave_out(found, self._exclude - start)
        keep = self._values.shape[1]
        # First of the tile alone: no copy of all of its scores is made.
        best, columns = found.topk(min(keep, len(rows)), dim=1, sorted=False)
        values, index = (
            torch.cat([self._values, best], 1),
            torch.cat([self._index, columns + start], 1),
        )
        self._values, places = values.topk(keep, dim=1, sorted=False)
        self._index = index.gather(1, places)
        self._seen += len(rows)

    def candidates(self, k: int) -> tuple[Array, Array]:
        """Index (Q, keep) and bound (Q,) as of ``Scan.candidates``; the host waits here."""
        values, index = self._values.cpu().numpy(), self._index.cpu().numpy()
        lost = np.isneginf(values) | hopeless(values, k, self._error)
        return np.where(lost, -1, index), self._bound(values)

    def rescored(self, rows: Tensor, offsets: Tensor | None) -> tuple[Array, Array, Array]:
        """What ``candidates`` gives, none left out, and the exact scores; the host waits here.

        Args:
            rows: (N, D) of the whole bank, on the device.
            offsets: (N,) float64 of them.

        Returns:
            Index (Q, keep) in increasing order, bound (Q,), and (Q, keep) float64 scores, minus
            infinity where the index is -1.
        """
        index = self._index.masked_fill(self._values.isneginf(), -1).sort(dim=1).values
        scores = exact_scores(self._queries, index, rows, offsets)
        found, bound = index.cpu().numpy(), self._bound(self._values.cpu().numpy())
        return found, bound, scores.cpu().numpy()

    def _bound(self, values: Array) -> Array:
        """What no float32 score of a row left out is above; minus infinity if none is left out."""
        least: Array = values.min(axis=1)
        return least if self._seen > values.shape[1] else np.full_like(least, -np.inf)


def _leave_out(found: Tensor, columns: Tensor) -> None:
    """Drop one column (Q,) of each query's scores (Q, n), where it is in the tile."""
    inside = (columns >= 0) & (columns < found.shape[1])
    at = columns.clamp(0, found.shape[1] - 1)[:, None]
    found.scatter_(1, at, found.gather(1, at).masked_fill(inside[:, None], -torch.inf))


def exact_scores(queries: Tensor, index: Tensor, rows: Tensor, offsets: Tensor | None) -> Tensor:
    """Scores (Q, M) float64 of candidates, those of ``featbank.knn.exact.rescore`` to the last bit.

    On the grid of ``featbank.knn.space`` no sum has a rounding, in whatever order.

    Args:
        queries: (Q, D) float32.
        index: (Q, M) bank index of the candidates, -1 for none.
        rows: (N, D) float32 of the whole bank.
        offsets: (N,) float64 of them, or None.
    """
    at_once = max(1, _GATHERED_BYTES // (12 * rows.shape[1]))
    wide = min(index.shape[1], at_once)
    tall = max(1, at_once // wide)
    blocks = zip(torch.split(queries, tall), torch.split(index, tall), strict=True)
    scores = [
        torch.cat(
            [_scores_of(some, part, rows, offsets) for part in torch.split(parts, wide, 1)], 1
        )
        for some, parts in blocks
    ]
    return torch.cat(scores)


def _scores_of(queries: Tensor, index: Tensor, rows: Tensor, offsets: Tensor | None) -> Tensor:
    taken = index.clamp(min=0)
    # (Q * M, D) -> (Q, M, D)
    gathered = rows.index_select(0, taken.flatten()).view(*index.shape, -1).double()
    scores = (gathered @ queries.double()[:, :, None])[:, :, 0]
    if offsets is not None:
        scores += offsets[taken]
    return scores.masked_fill(index < 0, -torch.inf)
