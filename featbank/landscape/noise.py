"""Noise on an unbounded pixel plane: every value is a hash of its world coordinates and a key.

Nothing is stored and nothing is drawn in sequence, so any window can be evaluated on its own and
gives bit for bit what a larger window around it gives: all arithmetic is element by element.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Finaliser of SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195).
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_WORD = (1 << 64) - 1
# A uniform number has variance 1/12; cubic B-spline interpolation keeps 151/315 of it on each axis.
_SPLINE_STD = (1 / 12) ** 0.5 * 151 / 315


@dataclass(frozen=True, kw_only=True)
class Window:
    """A rectangle of 10 m pixels in the world.

    Attributes:
        row: First row; rows grow to the south.
        column: First column; columns grow to the east.
        height: Number of rows, at least 1.
        width: Number of columns, at least 1.
    """

    row: int
    column: int
    height: int
    width: int

    @property
    def rows(self) -> NDArray[np.int64]:
        """(H,) world rows."""
        return np.arange(self.row, self.row + self.height)

    @property
    def columns(self) -> NDArray[np.int64]:
        """(W,) world columns."""
        return np.arange(self.column, self.column + self.width)


def derive_key(*parts: int) -> int:
    """A 64-bit key from integers, such as a seed and the number of a field.

    Example:
        >>> derive_key(0, 1) == derive_key(0, 1), derive_key(0, 1) == derive_key(1, 0)
        (True, False)
    """
    word = 0
    for part in parts:
        word = (word + part * _GOLDEN + 1) & _WORD
        word = ((word ^ (word >> 30)) * _FIRST) & _WORD
        word = ((word ^ (word >> 27)) * _SECOND) & _WORD
        word ^= word >> 31
    return word


def hash_words(
    keys: Sequence[int], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """64 random bits for each place of a grid.

    Args:
        keys: F keys, one for each independent field.
        rows: (H,) integer coordinates, any range.
        columns: (W,) integer coordinates, any range.

    Returns:
        (F, H, W) words; each depends on its own key and coordinates alone.
    """
    factor = np.uint64(_GOLDEN)
    by_row = _mix(np.array(keys, dtype=np.uint64)[:, None] + rows.astype(np.uint64) * factor)
    return _mix(by_row[:, :, None] + columns.astype(np.uint64) * factor)


def uniform(words: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Uniform numbers in [0, 1) from the upper 24 bits of words."""
    return (words >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def bell(words: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Numbers of mean 0 and variance 1 from words: the sum of their four 16-bit parts.

    The shape is that of Irwin and Hall for four, close to normal and never beyond 3.5.
    """
    parts = np.ascontiguousarray(words).view(np.uint16).reshape(*words.shape, 4)
    total = parts[..., 0].astype(np.float32)
    for i in range(1, 4):
        total += parts[..., i]
    # Four uniform 16-bit integers: mean 2 (2^16 - 1), variance 4 (2^32 - 1) / 12.
    return (total - np.float32(131070.0)) * np.float32((3.0 / (2.0**32 - 1)) ** 0.5)


def bell_pairs(words: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Two numbers of mean 0 and variance 1 from each word: the sums of its two halves' bytes.

    Twice as cheap as ``bell`` and as bell-shaped, on a grid of 1,021 values.

    Args:
        words: (H, W) random words.

    Returns:
        (H, 2 W) numbers.
    """
    bytes_ = np.uint64(0x00FF00FF00FF00FF)
    sums = (words & bytes_) + ((words >> np.uint64(8)) & bytes_)
    halves = np.uint64(0x0000FFFF0000FFFF)
    sums = (sums & halves) + ((sums >> np.uint64(16)) & halves)
    # Four bytes: mean 2 (2^8 - 1), variance 4 (2^16 - 1) / 12.
    return (sums.view(np.uint32).astype(np.float32) - 510) * np.float32((3 / 65535) ** 0.5)


def fractal_noise(
    keys: Sequence[int], window: Window, *, finest_px: int, weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Value noise of several octaves: random numbers on lattices, joined by cubic B-splines.

    Coarse lattices are refined onto the finest one by spline subdivision, which is exact, so that
    only one interpolation runs over the pixels.

    Args:
        keys: F keys, one for each independent field.
        window: Where.
        finest_px: Distance of the finest lattice's nodes in pixels, at least 1.
        weights: (F, O) weight of each octave, coarsest first; spacings halve from one to the next.

    Returns:
        (F, H, W) fields of mean 0 and variance 1, near to normal where octaves are many.
    """
    weights = weights / np.sqrt(np.sum(weights * weights, axis=1, keepdims=True))
    row_cell, row_weight = _spline(window.rows, finest_px)
    column_cell, column_weight = _spline(window.columns, finest_px)
    octaves = weights.shape[1]
    spans_y = _spans(int(row_cell[0]) - 1, int(row_cell[-1]) + 3, octaves)
    spans_x = _spans(int(column_cell[0]) - 1, int(column_cell[-1]) + 3, octaves)
    nodes = np.zeros((len(keys), 0, 0), dtype=np.float32)
    for octave, (span_y, span_x) in enumerate(zip(spans_y, spans_x, strict=True)):
        fresh = _lattice([derive_key(key, octave) for key in keys], span_y, span_x)
        fresh *= weights[:, octave, None, None]
        if octave:
            fresh += _refine(_refine(nodes, span_y), span_x)
        # Both refinements swap the axes, so rows come first again.
        nodes = fresh
    across = _blend(nodes, column_cell - column_cell[0], column_weight)
    return _blend(across, row_cell - row_cell[0], row_weight)


def _mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(_FIRST)
    words ^= words >> np.uint64(27)
    words *= np.uint64(_SECOND)
    words ^= words >> np.uint64(31)
    return words


def _spline(
    places: NDArray[np.int64], spacing_px: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Each place's lattice cell, and (4, n) cubic B-spline weights of the nodes around it."""
    cell = places // spacing_px
    t = ((places - cell * spacing_px + 0.5) / spacing_px).astype(np.float32)
    s = 1 - t
    cubes = (s * s * s, 3 * t * t * t - 6 * t * t + 4, 3 * s * s * s - 6 * s * s + 4, t * t * t)
    return cell, (np.stack(cubes) / 6).astype(np.float32)


def _spans(first: int, stop: int, octaves: int) -> list[tuple[int, int]]:
    """Node ranges (first, stop) that each octave needs, coarsest first."""
    spans = [(first, stop)]
    for _ in range(octaves - 1):
        first, stop = first // 2 - 1, (stop - 1) // 2 + 2
        spans.append((first, stop))
    return spans[::-1]


def _lattice(
    keys: Sequence[int], span_y: tuple[int, int], span_x: tuple[int, int]
) -> NDArray[np.float32]:
    values = uniform(hash_words(keys, np.arange(*span_y), np.arange(*span_x)))
    return (values - np.float32(0.5)) * np.float32(1 / _SPLINE_STD)


def _refine(nodes: NDArray[np.float32], span: tuple[int, int]) -> NDArray[np.float32]:
    """Halve the spacing of B-spline coefficients along axis 1 onto ``span``; swaps axes 1 and 2."""
    first, stop = span
    fine = np.empty((nodes.shape[0], 2 * nodes.shape[1] - 2, nodes.shape[2]), dtype=np.float32)
    middle = nodes[:, 1:-1]
    fine[:, 1:-1:2] = (nodes[:, :-2] + 6 * middle + nodes[:, 2:]) * np.float32(0.125)
    fine[:, 0::2] = (nodes[:, :-1] + nodes[:, 1:]) * np.float32(0.5)
    # Entry 0 is the odd node after the first coarse node, which is first // 2 - 1.
    skip = first - (2 * (first // 2 - 1) + 1)
    return fine[:, skip : skip + stop - first].swapaxes(1, 2)


def _blend(
    nodes: NDArray[np.float32], cell: NDArray[np.int64], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Interpolate the last axis onto places, then swap the last two axes."""
    turned = np.ascontiguousarray(nodes.swapaxes(1, 2))
    total: NDArray[np.float32] = np.take(turned, cell, axis=1) * weight[0][:, None]
    for k in range(1, 4):
        term = np.take(turned, cell + k, axis=1)
        term *= weight[k][:, None]
        total += term
    return total
