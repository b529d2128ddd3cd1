"""Features on a grid where scores are exact, so that no order of summation changes a bit.

A search in floating point gives other last digits for other tile shapes, threads and devices, and
equal rows of a bank then change places. Here every row is scaled to a norm of about 1 and rounded
to multiples of 2^-24, which float32 holds. Products are multiples of 2^-48, and by Cauchy-Schwarz
no partial sum leaves (-2, 2): float64 adds them without rounding, in any order, fused or not. The
rounding moves a similarity by about 2.4e-8, less than the rounding of a float32 product does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from featbank.catalog import suggest
from featbank.errors import UnknownNameError
from featbank.knn.tiles import require_finite

if TYPE_CHECKING:
    from featbank.image import Array
    from featbank.knn.tiles import Tiles

COSINE, EUCLIDEAN = "cosine", "euclidean"
METRICS = (COSINE, EUCLIDEAN)
_GRID = 2.0**24
_READ_ROWS = 4096


class Space(Protocol):
    """One way to compare features; a greater score is nearer.

    The score of a query and a bank row is their dot product plus the row's offset.
    """

    def bank_rows(self, features: Array) -> Array:
        """(n, D) float32 rows on the grid, of norm <= 1 but for rounding."""

    def query_rows(self, features: Array) -> Array:
        """(n, D) float32 rows on the grid."""

    def offsets(self, rows: Array) -> Array | None:
        """(n,) exact float64 addends of rows that ``bank_rows`` made; None stands for zeros."""

    def present(self, scores: Array, queries: Array) -> Array:
        """Scores (Q, k) of ``query_rows`` as users know them."""


class CosineSpace:
    """Rows of unit norm; the score is the cosine similarity."""

    def bank_rows(self, features: Array) -> Array:
        """Unit-norm rows on the grid; rows of zeros stay zero."""
        return _on_grid(unit_norm(features.astype(np.float64, copy=False)))

    query_rows = bank_rows

    def offsets(self, rows: Array) -> Array | None:
        """None: norms are 1."""
        return None

    def present(self, scores: Array, queries: Array) -> Array:
        """The similarities themselves."""
        return scores


@dataclass(frozen=True, kw_only=True)
class EuclideanSpace:
    """Rows about a centre, scaled; the score is q b - |b|²/2, which falls with the distance.

    Distances do not change with the centre, and small numbers lose fewer digits.

    Attributes:
        center: (D,) float64.
        scale: Power of two by which differences are divided.
    """

    center: Array
    scale: float

    def bank_rows(self, features: Array) -> Array:
        """Differences from the centre on the grid."""
        return _on_grid((features.astype(np.float64) - self.center) / self.scale)

    def query_rows(self, features: Array) -> Array:
        """Differences from the centre; the grid of a query far off is coarser."""
        moved = (features.astype(np.float64) - self.center) / self.scale
        steps = np.maximum(_power_above(np.linalg.norm(moved, axis=1, keepdims=True)), 1.0)
        return _on_grid(moved / steps) * steps.astype(np.float32)

    def offsets(self, rows: Array) -> Array | None:
        """Minus half of the squared norms."""
        return -0.5 * _squares(rows)

    def present(self, scores: Array, queries: Array) -> Array:
        """Distances in units of the features."""
        squared = _squares(queries)[:, None] - 2 * scores
        distances: Array = self.scale * np.sqrt(np.maximum(squared, 0.0))
        return distances


def make_space(metric: str, bank: Tiles) -> Space:
    """The space of a metric; the Euclidean one reads the bank once for its centre and extent.

    Raises:
        UnknownNameError: No metric has this name.
        ProbeError: A feature of the bank is not finite.
    """
    if metric == COSINE:
        return CosineSpace()
    if metric == EUCLIDEAN:
        return _euclidean(bank)
    raise UnknownNameError(
        metric, "no metric has this name", f"one of {', '.join(METRICS)}", suggest(metric, METRICS)
    )


def unit_norm(features: Array) -> Array:
    """Features divided by their Euclidean norm; rows of zeros stay zero.

    Args:
        features: (N, D) numbers. float16 is computed and given back as float32, since squares of
            float16 overflow; integers as float64.

    Returns:
        (N, D) rows of norm 1 or 0.
    """
    widened = np.asarray(features, dtype=np.result_type(features, np.float32))
    norms = np.linalg.norm(widened, axis=1, keepdims=True)
    divided: Array = np.divide(widened, norms, out=np.zeros_like(widened), where=norms > 0)
    return divided


def _euclidean(bank: Tiles) -> EuclideanSpace:
    """Centre and half diagonal of the bank's box: minima and maxima know no order of rows."""
    low, high = np.full(bank.dim, np.inf), np.full(bank.dim, -np.inf)
    for _, features in bank.tiles(_READ_ROWS):
        require_finite(features, "bank")
        low = np.minimum(low, features.min(axis=0))
        high = np.maximum(high, features.max(axis=0))
    center, half = low / 2 + high / 2, high / 2 - low / 2
    scale = float(_power_above(np.array([np.linalg.norm(half)]))[0])
    return EuclideanSpace(center=center, scale=scale)


def _power_above(norms: Array) -> Array:
    """The least power of two that is greater; 1 for 0."""
    exponents = np.frexp(norms)[1]
    powers: Array = np.ldexp(1.0, exponents)
    return powers


def _on_grid(rows: Array) -> Array:
    scaled = np.multiply(rows, _GRID)
    np.rint(scaled, out=scaled)
    np.divide(scaled, _GRID, out=scaled)
    return scaled.astype(np.float32)


def _squares(rows: Array) -> Array:
    """Squared norms, exact since rows lie on the grid."""
    wide = rows.astype(np.float64)
    squares: Array = np.einsum("nd,nd->n", wide, wide)
    return squares
