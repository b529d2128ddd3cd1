"""A bank as a search reads it: rows on the grid of its space, held in memory or made on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.knn.space import COSINE, Space, make_space
from featbank.knn.tiles import ArrayTiles, Tiles, require_finite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array

_PREPARE_ROWS = 4096


@dataclass(frozen=True, kw_only=True)
class PreparedBank:
    """Rows that lie on the grid already, so that each search spares that work.

    Attributes:
        rows: (N, D) float32 of ``space.bank_rows``.
        space: How features are compared.
    """

    rows: Array
    space: Space

    @property
    def dim(self) -> int:
        """D."""
        return int(self.rows.shape[1])

    def __len__(self) -> int:
        return len(self.rows)

    def prepared(self, rows: int) -> Iterator[tuple[int, Array]]:
        """All rows at once; they are in memory anyway."""
        yield 0, self.rows


@dataclass(frozen=True, kw_only=True)
class TiledBank:
    """Tiles that are put on the grid as they are read.

    Attributes:
        source: Features.
        space: How features are compared.
    """

    source: Tiles
    space: Space

    @property
    def dim(self) -> int:
        """D."""
        return self.source.dim

    def __len__(self) -> int:
        return len(self.source)

    def prepared(self, rows: int) -> Iterator[tuple[int, Array]]:
        """Pieces of at most ``rows`` rows on the grid, with the first row of each.

        Raises:
            ProbeError: A feature is not finite.
        """
        for start, features in self.source.tiles(rows):
            yield start, self.space.bank_rows(require_finite(features, "bank"))


def prepare(features: Array, metric: str = COSINE) -> PreparedBank:
    """Put features on the grid once, for many searches.

    Args:
        features: (N, D) finite numbers. No copy in float64 is made of the whole.
        metric: ``cosine`` or ``euclidean``.

    Returns:
        The bank, with one float32 copy of the features.

    Raises:
        UnknownNameError: No metric has this name.
        ProbeError: A feature is not finite.
    """
    source = ArrayTiles(features)
    tiled = TiledBank(source=source, space=make_space(metric, source))
    rows = np.empty(features.shape, dtype=np.float32)
    for start, tile in tiled.prepared(_PREPARE_ROWS):
        rows[start : start + len(tile)] = tile
    return PreparedBank(rows=rows, space=tiled.space)


def as_bank(bank: Array | Tiles | PreparedBank, metric: str) -> PreparedBank | TiledBank:
    """Whatever a search is given as what it reads."""
    if isinstance(bank, PreparedBank):
        return bank
    source = ArrayTiles(bank) if isinstance(bank, np.ndarray) else bank
    return TiledBank(source=source, space=make_space(metric, source))
