"""Scores of the samples that have something in common: a country, a season."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import ProbeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from featbank.image import Array
    from featbank.metrics.scoring.scored import Scored

# Headlines and what studies report beside them; classes are too few samples in a subgroup.
MAIN = ("accuracy", "balanced_accuracy", "map", "f1", "f2", "hamming_loss", "ece")
_MAIN_AVERAGES = (None, "macro", "micro")
_CONSTANT = ("all-positive", "all-negative")
UNKNOWN = "unknown"
# A column with more values than this names samples rather than groups them.
MOST_VALUES = 200


def with_subgroups(
    score: Callable[[Array], list[Scored]], n: int, by: Mapping[str, Array] | None
) -> list[Scored]:
    """Scores of all samples, then the main ones of each subgroup.

    Args:
        score: Scores the samples at (n,) rows.
        n: Samples in all.
        by: (n,) values by name.

    Raises:
        ProbeError: A column of another length, or one that tells nearly every sample apart.
    """
    rows = score(np.arange(n))
    for name, values in (by or {}).items():
        for value, kept in _subgroups(name, values, n):
            rows += [replace(row, by=name, by_value=value) for row in score(kept) if _is_main(row)]
    return rows


def _is_main(row: Scored) -> bool:
    return (
        row.class_index is None
        and row.metric in MAIN
        and row.average in _MAIN_AVERAGES
        and row.threshold not in _CONSTANT
    )


def _subgroups(name: str, values: Array, n: int) -> Iterator[tuple[str, Array]]:
    """Each value, in order, with the rows that have it; empty ones are ``unknown``, and last."""
    if len(values) != n:
        raise ProbeError(
            f"column '{name}'",
            f"it has {len(values)} values",
            f"{n}, one a sample that is scored",
            "Give the values of the same samples.",
        )
    kept: dict[Any, list[int]] = {}
    for row, value in enumerate(values.tolist()):
        kept.setdefault(_plain(value), []).append(row)
    if len(kept) > MOST_VALUES:
        raise ProbeError(
            f"column '{name}'",
            f"it has {len(kept)} values among {n} samples",
            f"{MOST_VALUES} at most",
            "Choose a column that groups samples.",
        )
    for value in sorted(kept, key=_order):
        yield str(value), np.array(kept[value])


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    is_missing = value is None or value == "" or value != value
    return UNKNOWN if is_missing else value


def _order(value: Any) -> tuple[bool, bool, Any]:  # noqa: ANN401 - whatever a column holds
    """Numbers by size, before words by the alphabet, before what is unknown."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    is_number = math.isfinite(number)
    return value == UNKNOWN, not is_number, number if is_number else str(value)
