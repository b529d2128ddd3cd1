"""Pairing Sentinel-1 with Sentinel-2 patches: their names never match, a name map joins them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._bigearthnet_editions import S1, S2
from featbank.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def pair_rows(
    partners: Sequence[str], s2_names: Sequence[str]
) -> tuple[dict[str, NDArray[np.intp]], tuple[str, ...]]:
    """Rows of both sensors that make pairs, in order of the Sentinel-2 names.

    Args:
        partners: (N1,) Sentinel-2 name of each Sentinel-1 patch, empty where unknown.
        s2_names: (N2,) Sentinel-2 patches that are here.

    Returns:
        Rows by sensor, and what is left out, in words.

    Raises:
        DatasetError: No pair at all.
    """
    row_of = {name: row for row, name in enumerate(s2_names)}
    found = [(row_of[name], row) for row, name in enumerate(partners) if name in row_of]
    if not found:
        raise DatasetError(
            "bigearthnet-s1s2",
            f"none of {len(partners)} Sentinel-1 patches has its Sentinel-2 patch here",
            "both sensors of the same places",
            "Take bigearthnet-s1 or bigearthnet-s2, or unpack the rest.",
        )
    s2_rows, s1_rows = np.array(sorted(found), dtype=np.intp).T
    alone = {
        "Sentinel-1": ("Sentinel-2", len(partners) - len(found)),
        "Sentinel-2": ("Sentinel-1", len(s2_names) - len(set(s2_rows.tolist()))),
    }
    notes = tuple(
        f"{count} {sensor} patches without their {other} patch are left out"
        for sensor, (other, count) in alone.items()
        if count
    )
    return {S1: s1_rows, S2: s2_rows}, notes
