"""What a table is, whatever it is written as."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from featbank.metrics import METRICS
from featbank.pages.table_style import interval, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.result import Result


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    """One column.

    Attributes:
        title: What stands above it.
        is_number: Whether it is aligned and sorted as numbers.
        better: 1 where more is better, -1 where less is, 0 where neither.
    """

    title: str
    is_number: bool = False
    better: int = 0


@dataclass(frozen=True, kw_only=True)
class TableCell:
    """One cell.

    Attributes:
        text: What it says.
        value: The number behind it, to sort by; None of text, and of a number that is not there.
        interval: 95 % interval; '' where there is none.
        is_best: Whether it is the best of its column.
    """

    text: str
    value: float | None = None
    interval: str = ""
    is_best: bool = False


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One row.

    Attributes:
        cells: One a column.
        kind: ``ours``, ``baseline`` or ``published``, which is greyed and never the best.
    """

    cells: tuple[TableCell, ...]
    kind: str = "ours"


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """One table.

    Attributes:
        key: Short name, unique in a report.
        section: ``leaderboard``, ``decisions`` or ``classes``.
        title: What it shows.
        caption: Protocol, split, N: what a reader must know to quote it.
        columns: Columns.
        rows: Rows.
    """

    key: str
    section: str
    title: str
    caption: str
    columns: tuple[TableColumn, ...]
    rows: tuple[TableRow, ...]


def value_cell(row: Result | None) -> TableCell:
    """The value of a result with its interval; a dash where there is none."""
    if row is None or row.value != row.value:
        return TableCell(text="-")
    return TableCell(text=number(row.value), value=row.value, interval=interval(row))


def count_cell(value: float | None) -> TableCell:
    """A number of samples."""
    if value is None or value != value:
        return TableCell(text="-")
    return TableCell(text=f"{value:,.0f}", value=value)


def capitalised(name: str) -> str:
    """A metric's name at the head of a column; mAP stays as it is written."""
    return name if name.startswith("mAP") else name[:1].upper() + name[1:]


def better(metric: str) -> int:
    """Whether more of a metric is better (1), or less (-1)."""
    spec = METRICS.get(metric)
    return -1 if spec is not None and "less is better" in spec.summary else 1


def with_best(table: PaperTable) -> PaperTable:
    """The table with the best of each column marked, ties as they are printed, two rows or more."""
    own = [row for row in table.rows if row.kind != "published"]
    if len(own) < 2:
        return table
    best = [_best(column, own, place) for place, column in enumerate(table.columns)]
    rows = tuple(
        row if row.kind == "published" else replace(row, cells=_marked(row.cells, best))
        for row in table.rows
    )
    return replace(table, rows=rows)


def _best(column: TableColumn, rows: Sequence[TableRow], place: int) -> str | None:
    cells = [row.cells[place] for row in rows if row.cells[place].value is not None]
    if not column.better or not cells:
        return None
    return max(cells, key=lambda cell: column.better * (cell.value or 0.0)).text


def _marked(cells: Sequence[TableCell], best: Sequence[str | None]) -> tuple[TableCell, ...]:
    pairs = zip(cells, best, strict=True)
    return tuple(replace(cell, is_best=best is not None and cell.text == best)
                 for cell, best in pairs)  # fmt: skip
