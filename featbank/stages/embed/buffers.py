"""A shard's buffers, filled batch by batch with what the device and the readers give."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import DecodeError
from featbank.image import band_order
from featbank.store.schema import MISSING, MISSING_BAND, VALID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.stages.embed.forward import Pending
    from featbank.stages.embed.plan import EmbedPlan
    from featbank.store.writer import Shard


@dataclass(frozen=True)
class Cut:
    """One batch's place: its shard, the rows, and whether it ends the shard."""

    shard: int
    rows: range
    start: int
    is_last: bool


@dataclass(frozen=True)
class Running:
    """A batch on the device: its place, its features, and what its reader said of its chips."""

    cut: Cut
    pendings: list[Pending]
    refused: dict[int, str]
    shares: dict[int, NDArray[np.float32]]


def fill(buffers: Shard, start: int, pending: Pending) -> dict[int, str]:
    """Put features into the shard's buffers; a row that is not finite is refused."""
    features = pending.result()
    rows = start + pending.rows
    finite = np.ones(len(rows), dtype=bool)
    for name, values in features.items():
        buffers[name][rows] = values
        finite &= np.isfinite(values.reshape(len(rows), -1)).all(axis=1)
    buffers[VALID][rows] = finite
    for name in features:
        buffers[name][rows[~finite]] = np.nan
    return {
        int(row): "the network gave features that are not finite" for row in pending.rows[~finite]
    }


def fill_missing(buffers: Shard, done: Running, plan: EmbedPlan) -> None:
    """Put shares of missing pixels into the shard's buffers; a refused chip's stay unknown."""
    start, length = done.cut.start, len(done.cut.rows)
    whole = np.zeros((length, 1 + len(plan.layout.bands)), dtype=np.float32)
    for position, shares in done.shares.items():
        whole[position] = shares[np.r_[0, 1 + band_order(plan.inputs.grids, plan.layout.bands)]]
    whole[list(done.refused)] = np.nan
    buffers[MISSING][start : start + length] = whole[:, 0]
    buffers[MISSING_BAND][start : start + length] = whole[:, 1:]


def fill_masks(buffer: Array, cut: Cut, plan: EmbedPlan) -> None:
    """Put a batch's label maps into the shard's buffer; a chip without one stays unknown."""
    masks = plan.imagery.dataset.masks
    if masks is None:
        return
    for position, row in enumerate(cut.rows):
        with contextlib.suppress(DecodeError):
            buffer[cut.start + position] = masks.reader.read_mask(row)
