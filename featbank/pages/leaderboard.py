"""Headlines of many results, best first."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.screen import Screen, named
from featbank.pages.table_style import STYLE, buffered, interval, metric_name, number
from featbank.result import COMPARABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from featbank.result import Result


def print_leaderboard(rows: Sequence[Result]) -> None:
    """Print one ranking for each set of rows that may be compared.

    Args:
        rows: Headlines in any order.
    """
    ordered = sorted(rows, key=lambda row: (_key(row), -row.value))
    for _, comparable in groupby(ordered, key=_key):
        Screen(highlight=False).print(_table(list(comparable)))


def _key(row: Result) -> tuple[str, ...]:
    return tuple(str(getattr(row, name) or "") for name in COMPARABLE)


def _table(rows: Sequence[Result]) -> Table:
    head = rows[0]
    average = f" ({head.average})" if head.average else ""
    shots = f", {head.shots} shots" if head.shots else ""
    title = (
        f"{head.dataset}, labels {head.label_set}, split {head.split_scheme}{shots}"
        f"{buffered(head)}: "
        f"{metric_name(head.metric)}{average} on test"
    )
    table = Table(title=named(title), **STYLE)
    table.add_column("", justify="right")
    for name in ("model", "feature", "protocol"):
        table.add_column(name, overflow="fold")
    for name in ("value", "95 % interval", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for cells in _cells(rows):
        table.add_row(*map(named, cells))
    return table


def _cells(rows: Sequence[Result]) -> Iterable[tuple[str, ...]]:
    for place, row in enumerate(rows, start=1):
        yield (
            str(place),
            row.model,
            row.feature,
            row.protocol,
            number(row.value),
            interval(row),
            str(row.n),
        )
