"""Headlines of results that may be compared, best first, published numbers below them."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from featbank.pages.paper_tables.table import (
    PaperTable,
    TableCell,
    TableColumn,
    TableRow,
    better,
    capitalised,
    count_cell,
    value_cell,
    with_best,
)
from featbank.pages.published_table import published_beside
from featbank.pages.table_style import buffered, intervals_over, metric_name, number
from featbank.probes.protocols import PROTOCOLS
from featbank.result import COMPARABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featbank.result import Result

_ON_VAL = "chosen on validation"
# What a result says where its scheme has no validation split.
_CARVED = re.compile(r"validation is (\d+% of train)")


def leaderboards(
    results: Sequence[tuple[Result, ...]], names: Sequence[str], *, baselines: Sequence[str]
) -> Iterator[PaperTable]:
    """One ranking for each set of headlines that may be compared.

    A few-shot result stands in one ranking for each of its numbers of shots.
    """
    entries = [
        (head, rows)
        for rows in results
        for head in (_shots(rows) if rows[0].shots is not None else [rows[0]])
    ]
    entries.sort(key=lambda entry: (_key(entry[0]), _rank(entry[0])))
    for place, (_, group) in enumerate(groupby(entries, key=lambda entry: _key(entry[0]))):
        yield _board(place, list(group), baselines)


def _shots(rows: tuple[Result, ...]) -> list[Result]:
    return [row for row in rows if row.shots is not None and row.split == rows[0].split]


def _key(row: Result) -> tuple[str, ...]:
    # Numbers of shots in their own order, all samples before them.
    shots = f"{row.shots or 0:06d}"
    return tuple(shots if name == "shots" else str(getattr(row, name) or "") for name in COMPARABLE)


def _rank(row: Result) -> float:
    return float("inf") if row.value != row.value else -better(row.metric) * row.value


def _board(
    place: int, entries: Sequence[tuple[Result, tuple[Result, ...]]], baselines: Sequence[str]
) -> PaperTable:
    head = entries[0][0]
    metric = capitalised(metric_name(head.metric, head.average))
    spread = any(row.seed_sd is not None for row, _ in entries)
    columns = [
        TableColumn(title="Model"),
        TableColumn(title="Feature"),
        TableColumn(title="Protocol"),
    ]
    columns.append(TableColumn(title=metric, is_number=True, better=better(head.metric)))
    columns += [TableColumn(title="± seeds", is_number=True)] if spread else []
    columns.append(TableColumn(title="N", is_number=True))
    rows = [_row(row, spread=spread, baselines=baselines) for row, _ in entries]
    rows += [] if head.shots else _published(head, entries[0][1], spread=spread)
    plural = "s" if (head.shots or 0) > 1 else ""
    shots = f", {head.shots} sample{plural} of each class" if head.shots else ""
    return with_best(
        PaperTable(
            key=f"leaderboard-{place}",
            section="leaderboard",
            title=f"{metric}: labels {head.label_set}, split {head.split_scheme}{shots}"
            f"{buffered(head)}",
            caption=_caption([row for row, _ in entries], metric),
            columns=tuple(columns),
            rows=tuple(rows),
        )
    )


def _row(row: Result, *, spread: bool, baselines: Sequence[str]) -> TableRow:
    feature = f"{row.feature}, layer {row.layer}"
    cells = [
        TableCell(text=row.model),
        TableCell(text=feature),
        TableCell(text=row.protocol),
        value_cell(row),
    ]
    if spread:
        sd = row.seed_sd
        cells.append(TableCell(text="-" if sd is None else number(sd), value=sd))
    kind = "baseline" if row.model in baselines else "ours"
    return TableRow(cells=(*cells, count_cell(row.n)), kind=kind)


def _published(head: Result, rows: Sequence[Result], *, spread: bool) -> list[TableRow]:
    found = []
    for spec, row in published_beside(rows):
        if row.metric != head.metric or row.average not in (None, head.average):
            continue
        source = f"{spec.name}: {row.remark}"
        cells = [TableCell(text=row.model), TableCell(text=source), TableCell(text=row.probe)]
        cells.append(TableCell(text=number(row.value), value=row.value))
        filled = [*cells, *([TableCell(text="-")] if spread else []), TableCell(text="-")]
        found.append((row.value, TableRow(cells=tuple(filled), kind="published")))
    return [row for _, row in sorted(found, key=lambda pair: -pair[0])]


def _caption(rows: Sequence[Result], metric: str) -> str:
    head = rows[0]
    spans = intervals_over(row.resampled for row in rows if row.low is not None)
    counts = " to ".join(f"{n:,}" for n in sorted({min(r.n for r in rows), max(r.n for r in rows)}))
    intervals = f"; {spans}" if any(r.low is not None for r in rows) else ""
    elsewhere = f" of {head.test_store}" if head.test_store else ""
    return (
        f"{metric} on {counts} {head.split} samples{elsewhere} of {head.dataset}, labels "
        f"{head.label_set}, split scheme {head.split_scheme}{intervals}. "
        f"{_procedures(rows)}"
    )


def _procedures(rows: Sequence[Result]) -> str:
    """What each protocol chooses and fits on what; '' where none is of the catalog."""
    named: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.protocol in PROTOCOLS:
            named.setdefault(_procedure(row), {})[row.protocol] = None
    return " ".join(f"{', '.join(names)}: {words}." for words, names in named.items())


def _procedure(row: Result) -> str:
    spec = PROTOCOLS[row.protocol]
    if row.shots is not None:
        return spec.few_shot_procedure
    carved = _CARVED.search(row.note)
    return spec.procedure.replace(_ON_VAL, f"chosen on {carved[1]}") if carved else spec.procedure
