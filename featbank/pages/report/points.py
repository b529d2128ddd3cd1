"""What the interactive map shows of each sample: place, labels, split, columns, predictions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.pages.report.columns import MapColumn, column_arrays, label_column, text_column
from featbank.pages.report.outcomes import outcome_columns

if TYPE_CHECKING:
    from featbank.image import Array
    from featbank.lookup.subject import Subject
    from featbank.stages.report.content import ReportContent
    from featbank.store.reader import Store

_STEPS = 65_535  # positions are drawn to a sixty-thousandth of the map's width


@dataclass(frozen=True, kw_only=True)
class Points:
    """Samples on the map.

    Attributes:
        rows: (n,) rows of the store.
        header: What describes the arrays, as JSON.
        arrays: Columns, uint8 to uint32.
        total: Samples that the map could show.
    """

    rows: Array
    header: dict[str, Any]
    arrays: dict[str, Array] = field(repr=False)
    total: int


def points_of(content: ReportContent) -> Points | None:
    """The points of a report; None where it has no map."""
    found, subject = content.map, content.subject
    if found is None or subject is None:
        return None
    store, options = subject.store, content.options
    rows, xy = _places(store, found.ids, found.xy)
    total = len(rows)
    if total > options.max_points:
        draw = np.random.default_rng(options.seed).choice(total, options.max_points, replace=False)
        rows, xy = rows[np.sort(draw)], xy[np.sort(draw)]
    columns = _columns(content, subject, rows)
    arrays = {"xy": _quantised(xy)} | column_arrays(columns)
    header = {
        "n": len(rows),
        "ids": [str(sample) for sample in store.ids[rows]],
        "columns": [column.header for column in columns],
        "first": _first(content, columns),
    }
    return Points(rows=rows, header=header, arrays=arrays, total=total)


def _places(store: Store, ids: Array, xy: Array) -> tuple[Array, Array]:
    """Rows of the store that have a finite place, and their places."""
    row_of = {sample: row for row, sample in enumerate(store.ids.tolist())}
    rows = np.array([row_of.get(sample, -1) for sample in ids.tolist()], dtype=np.int64)
    kept = (rows >= 0) & np.isfinite(xy).all(axis=1)
    return rows[kept], xy[kept]


def _quantised(xy: Array) -> Array:
    """(n, 2) uint16 places; both axes by the same step, so that the map keeps its shape."""
    if not len(xy):
        return np.zeros((0, 2), np.uint16)
    wide = xy.astype(np.float64)
    low = wide.min(axis=0)
    span = (wide.max(axis=0) - low).max()
    scaled: Array = np.round((wide - low) * (_STEPS / span if span > 0 else 0))
    return scaled.astype(np.uint16)


def _columns(content: ReportContent, subject: Subject, rows: Array) -> list[MapColumn]:
    store, scheme, labels = subject.store, subject.split_scheme, subject.label_set
    found: list[MapColumn | None] = []
    if labels is not None:
        found.append(label_column(labels, store.classes(labels), store.labels(labels)[rows]))
    if scheme is not None:
        split = store.split(scheme)[rows]
        found.append(text_column("split", f"Split ({scheme})", split, role="split"))
    found += outcome_columns(content, store.ids[rows])
    for name in store.column_names:
        if name not in (f"split_{scheme}", f"label_{labels}"):
            found.append(text_column(f"column-{name}", name, store.column(name)[rows]))
    return [column for column in found if column is not None]


def _first(content: ReportContent, columns: list[MapColumn]) -> str:
    """Key of the column that colours the map at first."""
    by = content.options.by
    keys = [column.header["key"] for column in columns]
    wanted = {f"split_{content.subject and content.subject.split_scheme}": "split"}.get(
        by or "", f"column-{by}"
    )
    return wanted if by and wanted in keys else keys[0] if keys else ""
