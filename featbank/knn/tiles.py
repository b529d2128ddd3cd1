"""Banks that are read in tiles, so that a search never holds all of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from featbank.errors import ProbeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array


class Tiles(Protocol):
    """Features (N, D) that can be read from first to last row, as often as asked for.

    Attributes:
        dim: D.
    """

    @property
    def dim(self) -> int:
        """D."""

    def __len__(self) -> int:
        """N."""

    def tiles(self, rows: int) -> Iterator[tuple[int, Array]]:
        """Consecutive pieces of at most ``rows`` rows: first row of each, and (n, D) features."""


class ArrayTiles:
    """An array or memory map as tiles.

    Args:
        features: (N, D) numbers.
    """

    def __init__(self, features: Array) -> None:
        self._features = features

    @property
    def dim(self) -> int:
        """D."""
        return int(self._features.shape[1])

    def __len__(self) -> int:
        return len(self._features)

    def tiles(self, rows: int) -> Iterator[tuple[int, Array]]:
        """Views of the array, in order."""
        for start in range(0, len(self), rows):
            yield start, np.asarray(self._features[start : start + rows])


def require_finite(features: Array, name: str) -> Array:
    """The features as they are.

    Raises:
        ProbeError: One of them is NaN or infinite.
    """
    if not np.isfinite(features).all():
        raise ProbeError(
            name,
            "features are NaN or infinite",
            "finite numbers",
            "Leave out the rows that are not valid.",
        )
    return features
