"""The inner loops of resampling: additions over many sets, drawn or left over, at once.

How often each unit stands in each of B resamples is a (U, B) table of small whole numbers. A row
of it is contiguous, so that one instruction adds many resamples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.scoring.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.metrics.metric import Values

    Times = NDArray[np.uint8]
    Rows = NDArray[np.int32]


@compiled
def count_picks(picks: NDArray[np.uint32], times: Times, column: int) -> None:
    """Add how often each unit was picked to one column of ``times`` (U, B)."""
    for pick in picks:
        times[pick, column] += 1


@compiled
def sum_by_bin(rows: Rows, bins: Rows, times: Times, n_bins: int) -> NDArray[np.int32]:
    """Sums (n_bins, B) of rows of ``times``: entry i adds row ``rows[i]`` to ``bins[i]``."""
    width = times.shape[1]
    sums = np.zeros((n_bins, width), np.int32)
    for i in range(len(rows)):
        row, total = times[rows[i]], sums[bins[i]]
        for b in range(width):
            total[b] += row[b]
    return sums


@compiled
def weighted_sums(columns: Values, times: Times) -> Values:
    """Sums (C, B) of ``columns`` (U, C), each unit as often as it stands in a resample."""
    width = times.shape[1]
    sums = np.zeros((columns.shape[1], width))
    for unit in range(len(columns)):
        row = times[unit]
        for c in range(columns.shape[1]):
            value, total = columns[unit, c], sums[c]
            for b in range(width):
                total[b] += value * row[b]
    return sums


@compiled
def precision_sums(
    rows: Rows, ends: Rows, positives: Rows, positive_ends: Rows, times: Times
) -> tuple[Values, Values]:
    """Precision at each cut of a ranking times the positives that it adds, summed; positives.

    Args:
        rows: (S,) row of each decision, in order of falling score.
        ends: (M,) one past the last decision of each cut.
        positives: (P,) row of each positive, in the same order.
        positive_ends: (M,) one past the last positive of each cut.
        times: (U, B) how often each row stands in each resample.

    Returns:
        Both (B,).
    """
    width = times.shape[1]
    sums, hits, decided = np.zeros(width), np.zeros(width), np.zeros(width)
    added, passed = np.zeros(width, np.int32), np.zeros(width, np.int32)
    start = positive_start = 0
    for cut in range(len(ends)):
        end = ends[cut]
        # Four rows at a time: their loads overlap, and their sum is written once.
        while start + 4 <= end:
            first, second = times[rows[start]], times[rows[start + 1]]
            third, fourth = times[rows[start + 2]], times[rows[start + 3]]
            for b in range(width):
                pair = np.uint16(first[b]) + np.uint16(second[b])
                passed[b] += np.int32(pair + np.uint16(third[b]) + np.uint16(fourth[b]))
            start += 4
        for i in range(start, end):
            row = times[rows[i]]
            for b in range(width):
                passed[b] += row[b]
        for i in range(positive_start, positive_ends[cut]):
            row = times[positives[i]]
            for b in range(width):
                added[b] += row[b]
        for b in range(width):
            hits[b] += added[b]
            decided[b] += passed[b]
            sums[b] += added[b] * hits[b] / max(decided[b], 1.0)
            added[b] = 0
            passed[b] = 0
        start, positive_start = end, positive_ends[cut]
    return sums, hits
