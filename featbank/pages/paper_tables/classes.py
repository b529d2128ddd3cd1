"""Study 000's table: counts and ratios of each class; of labels, decisions and thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.pages.paper_tables.table import (
    PaperTable,
    TableCell,
    TableColumn,
    TableRow,
    capitalised,
    count_cell,
    value_cell,
)
from featbank.pages.table_style import intervals_over, metric_name, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.result import Result

    Key = tuple[str, str | None]

_COUNTS = ("tp", "fp", "tn", "fn")
_RATIOS = ("precision", "recall", "specificity", "f1")
_LABELS: tuple[tuple[str, str, str | None], ...] = (
    ("AP", "map", None),
    ("F2 at 0.5", "f2", "0.5"),
    ("F2 tuned", "f2", "tuned-f2"),
    ("F1 at 0.5", "f1", "0.5"),
    ("Precision at 0.5", "precision", "0.5"),
    ("Recall at 0.5", "recall", "0.5"),
    ("Tuned threshold", "threshold", "tuned-f2"),
)


def class_table(rows: Sequence[Result], name: str) -> PaperTable | None:
    """One row a class of one result; None where it has no rows of classes."""
    by_class: dict[str, dict[Key, Result]] = {}
    for row in rows:
        if row.class_name is not None and row.by is None and row.split == rows[0].split:
            by_class.setdefault(row.class_name, {})[row.metric, row.threshold] = row
    if not by_class:
        return None
    is_multilabel = any(row.threshold is not None for row in rows)
    columns, cells = (_labels if is_multilabel else _counts)(by_class)
    head = rows[0]
    return PaperTable(
        key=f"classes-{head.result}",
        section="classes",
        title=f"By class: {name}",
        caption=_caption(head),
        columns=(TableColumn(title="Class"), *columns),
        rows=tuple(TableRow(cells=(TableCell(text=c), *found)) for c, found in cells.items()),
    )


Table = tuple[list[TableColumn], "dict[str, list[TableCell]]"]


def _counts(by_class: dict[str, dict[Key, Result]]) -> Table:
    columns = [TableColumn(title=name.upper(), is_number=True) for name in _COUNTS]
    columns += [TableColumn(title=capitalised(metric_name(m)), is_number=True) for m in _RATIOS]
    cells = {
        name: [
            *(count_cell(_value(found.get((metric, None)))) for metric in _COUNTS),
            *(value_cell(found.get((metric, None))) for metric in _RATIOS),
        ]
        for name, found in by_class.items()
    }
    return columns, cells


def _labels(by_class: dict[str, dict[Key, Result]]) -> Table:
    columns = [
        TableColumn(title=title, is_number=True) for title in ("N", *(t for t, _, _ in _LABELS))
    ]
    cells = {}
    for name, found in by_class.items():
        ranked = found.get(("map", None))
        counted = count_cell(None if ranked is None else ranked.n)
        cells[name] = [counted, *(value_cell(found.get((m, t))) for _, m, t in _LABELS)]
    return columns, cells


def _value(row: Result | None) -> float | None:
    return None if row is None else row.value


def _caption(head: Result) -> str:
    average = metric_name(head.metric, head.average)
    return (
        f"{head.protocol} on {head.model} ({head.feature}, layer {head.layer}), {head.dataset}, "
        f"labels {head.label_set}, split scheme {head.split_scheme}, {head.n:,} {head.split} "
        f"samples, fitted on {head.n_train:,}; {average} {number(head.value)}; "
        f"{intervals_over([head.resampled])}."
    )
