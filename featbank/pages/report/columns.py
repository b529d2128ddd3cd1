"""Columns of the interactive map, in as few bytes as tell their values apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.image import Array

# Values that a legend can still name; a column of more (a group, a pair's id) is shown on hover
# alone, and one with as many values as samples adds nothing to the id.
LEGEND_VALUES = 256
_UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class MapColumn:
    """One column.

    Attributes:
        header: ``key``, ``title``, ``kind`` (``one``: an index into ``values``; ``many``: bits),
            ``values``, ``role`` and whatever else the page needs.
        codes: (n,) indices, or (n, ceil(K / 8)) bits, the first label in the lowest bit.
    """

    header: dict[str, Any]
    codes: Array


def column_arrays(columns: Sequence[MapColumn]) -> dict[str, Array]:
    """Arrays of columns by their keys."""
    return {column.header["key"]: column.codes for column in columns}


def indices(codes: Array, n_values: int) -> Array:
    """Indices in the least type that holds them."""
    return codes.astype(np.uint8 if n_values <= 256 else np.uint16 if n_values <= 65_536
                        else np.uint32)  # fmt: skip


def bits(decisions: Array) -> Array:
    """(n, K) of 0 and 1 as (n, ceil(K / 8)) bytes."""
    return np.packbits(np.asarray(decisions) > 0, axis=1, bitorder="little")


def label_column(name: str, classes: Sequence[str], labels: Array) -> MapColumn:
    """Labels of samples; those of unlabelled ones are a value of their own.

    Args:
        name: Label set.
        classes: K class names.
        labels: (n,) class indices or (n, K) of 0 and 1; -1 unknown.
    """
    header = {"key": "labels", "title": f"Labels ({name})", "role": "labels"}
    if labels.ndim == 2:
        codes = bits(labels == 1)
        return MapColumn(header={**header, "kind": "many", "values": list(classes)}, codes=codes)
    values = [*classes, *([_UNKNOWN] if (labels < 0).any() else [])]
    codes = indices(np.where(labels < 0, len(classes), labels), len(values))
    return MapColumn(header={**header, "kind": "one", "values": values}, codes=codes)


def text_column(key: str, title: str, values: Array, *, role: str = "column") -> MapColumn | None:
    """A column of texts; None where every sample has its own."""
    texts = np.array([str(value) or _UNKNOWN for value in values], dtype=object)
    names, codes = np.unique(texts.astype(str), return_inverse=True)
    if len(names) == len(texts) > LEGEND_VALUES:
        return None
    if role == "split":
        names, codes = _in_order(names, codes)
    header = {"key": key, "title": title, "kind": "one", "role": role, "values": names.tolist()}
    return MapColumn(header=header, codes=indices(codes, len(names)))


def _in_order(names: Array, codes: Array) -> tuple[Array, Array]:
    """Splits as people name them: train, val, test."""
    known = {"train": 0, "val": 1, "test": 2}
    order = np.array(sorted(range(len(names)), key=lambda i: known.get(str(names[i]), 3)))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return names[order], place[codes]
