"""Study 002's table: F2, Hamming loss and precision of each probe, by threshold."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from featbank.pages.paper_tables.table import (
    PaperTable,
    TableCell,
    TableColumn,
    TableRow,
    better,
    capitalised,
    value_cell,
    with_best,
)
from featbank.pages.published_table import published_beside
from featbank.pages.table_style import intervals_over, metric_name, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featbank.result import Result

    Key = tuple[str, str | None]

_COLUMNS: tuple[tuple[str, str | None], ...] = (
    ("f2", "macro"),
    ("f2", "micro"),
    ("hamming_loss", None),
    ("precision", "macro"),
    ("precision", "micro"),
)
_CONSTANT = ("all-positive", "all-negative")
_SAID = {"0.5": "0.5", "tuned-f2": "tuned for F2"}


def decision_tables(
    results: Sequence[tuple[Result, ...]], names: Sequence[str], *, baselines: Sequence[str]
) -> Iterator[PaperTable]:
    """One table for each label set and split whose samples may bear several labels."""
    found = [
        (rows, name)
        for rows, name in zip(results, names, strict=True)
        if any(row.threshold is not None for row in rows)
    ]
    found.sort(key=lambda entry: _key(entry[0]))
    for place, (_, group) in enumerate(groupby(found, key=lambda entry: _key(entry[0]))):
        yield _table(place, list(group), baselines)


def _key(rows: tuple[Result, ...]) -> tuple[str, str, str]:
    return rows[0].label_set, rows[0].split_scheme, rows[0].test_store or ""


def _table(
    place: int, entries: Sequence[tuple[tuple[Result, ...], str]], baselines: Sequence[str]
) -> PaperTable:
    head = entries[0][0][0]
    columns = (
        TableColumn(title="Probe"),
        TableColumn(title="Thresholds"),
        *(
            TableColumn(title=capitalised(metric_name(*key)), is_number=True, better=better(key[0]))
            for key in _COLUMNS
        ),
    )
    rows = [row for rows, name in entries for row in _rows(rows, name, baselines)]
    return with_best(
        PaperTable(
            key=f"decisions-{place}",
            section="decisions",
            title=f"Decisions on labels {head.label_set}, split {head.split_scheme}",
            caption=_caption(head),
            columns=columns,
            rows=(*rows, *_published(entries[0][0])),
        )
    )


def _rows(rows: tuple[Result, ...], name: str, baselines: Sequence[str]) -> Iterator[TableRow]:
    kind = "baseline" if rows[0].model in baselines else "ours"
    decided = [
        row
        for row in rows
        if row.class_name is None and row.by is None and row.split == rows[0].split
    ]
    thresholds = dict.fromkeys(row.threshold for row in decided if row.threshold is not None)
    for threshold in thresholds:
        if threshold in _CONSTANT:
            continue
        values = {(r.metric, r.average): r for r in decided if r.threshold == threshold}
        cells = (value_cell(values.get(key)) for key in _COLUMNS)
        said = TableCell(text=_SAID.get(threshold, threshold))
        yield TableRow(cells=(TableCell(text=name), said, *cells), kind=kind)


def _published(rows: Sequence[Result]) -> list[TableRow]:
    lines: dict[tuple[str, str], dict[Key, float]] = {}
    for spec, row in published_beside(rows):
        if (row.metric, row.average) in _COLUMNS:
            name = f"{row.model}, {row.probe} ({spec.name}: {row.remark})"
            lines.setdefault((name, spec.name), {})[row.metric, row.average] = row.value
    return [
        TableRow(
            cells=(
                TableCell(text=name),
                TableCell(text="as printed"),
                *(_cell(v.get(k)) for k in _COLUMNS),
            ),
            kind="published",
        )
        for (name, _), v in lines.items()
    ]


def _cell(value: float | None) -> TableCell:
    return TableCell(text="-") if value is None else TableCell(text=number(value), value=value)


def _caption(head: Result) -> str:
    return (
        f"Decisions on {head.n:,} {head.split} samples of {head.dataset}, labels {head.label_set}, "
        f"split scheme {head.split_scheme}; {intervals_over([head.resampled])}. Tuned "
        "thresholds maximise F2 of each class on other samples than these; "
        "classes with fewer than 20 positives there take the pooled threshold."
    )
