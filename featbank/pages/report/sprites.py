"""Chips of the map as WebP sheets that fit what is left of the page's ten megabytes."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.pictures.chip_pictures import ChipPictures

# Chips a side of a sheet: a sheet of 64 px chips is decoded in tens of milliseconds.
COLUMNS = 32
PER_SHEET = COLUMNS * COLUMNS
# Side in pixels and quality of WebP, from the best to the least that still tells chips apart.
LADDER = ((64, 82), (64, 70), (64, 55), (56, 50), (48, 50), (48, 35), (40, 35), (32, 35), (32, 20))
_MARGIN = 0.97
_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Sprites:
    """Thumbnails of some samples.

    Attributes:
        rows: (m,) rows among the points, in the order of the sheets.
        side_px: Side of a thumbnail.
        sheets: WebP files in base64, ``PER_SHEET`` chips each, by rows of ``COLUMNS``.
    """

    rows: Array
    side_px: int
    sheets: tuple[str, ...] = field(repr=False)


def thumbnails(
    pictures: ChipPictures,
    ids: Sequence[str],
    side_px: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Chips scaled to squares, and which of them could be drawn.

    Args:
        pictures: Draws chips.
        ids: n sample ids.
        side_px: Side of a thumbnail.
        progress: Is told chips done and chips in all.

    Returns:
        (n, side, side, 3) pictures, and (n,) whether each is one: a chip that cannot be drawn is a
        tile of one colour.
    """
    tiles = []
    for start in range(0, len(ids), _AT_ONCE):
        tiles.append(pictures.thumbnails(ids[start : start + _AT_ONCE], side_px))
        if progress is not None:
            progress(min(start + _AT_ONCE, len(ids)), len(ids))
    found = np.concatenate(tiles)
    return found, (found != found[:, :1, :1]).any(axis=(1, 2, 3))


def sprites_within(chips: NDArray[np.uint8], rows: Array, budget: int) -> Sprites | None:
    """The best sheets of all chips that fit a budget; of fewer chips where even the least do not.

    Args:
        chips: (m, 64, 64, 3) thumbnails of the ladder's first side.
        rows: (m,) rows among the points.
        budget: Characters of base64 that the page has left.

    Returns:
        The sheets; None where not a single chip fits.
    """
    count = len(chips)
    while count:
        for side, quality in LADDER:
            if _estimate(chips[:count], side, quality) > budget * _MARGIN:
                continue
            sheets = _sheets(chips[:count], side, quality)
            if sum(map(len, sheets)) <= budget:
                return Sprites(rows=rows[:count], side_px=side, sheets=tuple(sheets))
        count = count * 3 // 4
    return None


def _estimate(chips: NDArray[np.uint8], side: int, quality: int) -> float:
    """Characters that all chips take, from a sheet of evenly chosen ones."""
    places = np.linspace(0, len(chips) - 1, min(len(chips), PER_SHEET // 4)).astype(int)
    return len(_webp(chips[places], side, quality)) * len(chips) / len(places)


def _sheets(chips: NDArray[np.uint8], side: int, quality: int) -> list[str]:
    starts = range(0, len(chips), PER_SHEET)
    return [_webp(chips[start : start + PER_SHEET], side, quality) for start in starts]


def _webp(chips: NDArray[np.uint8], side: int, quality: int) -> str:
    from PIL import Image

    sheet = Image.fromarray(_tiled(chips))
    rows = sheet.height // chips.shape[1]
    # Chips meet at whole pixels of both sizes, so averaging over boxes never mixes neighbours.
    if side != chips.shape[1]:
        sheet = sheet.resize((COLUMNS * side, rows * side), Image.Resampling.BOX)
    buffer = io.BytesIO()
    sheet.save(buffer, "WEBP", quality=quality, method=4)
    return base64.b64encode(buffer.getvalue()).decode()


def _tiled(chips: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(m, s, s, 3) chips as one picture of ``COLUMNS`` in a row, black where there is none."""
    side, rows = chips.shape[1], -(-len(chips) // COLUMNS)
    padded = np.zeros((rows * COLUMNS, side, side, 3), np.uint8)
    padded[: len(chips)] = chips
    # (rows, columns, s, s, 3) -> (rows, s, columns, s, 3)
    grid = padded.reshape(rows, COLUMNS, side, side, 3).swapaxes(1, 2)
    return np.ascontiguousarray(grid).reshape(rows * side, COLUMNS * side, 3)
