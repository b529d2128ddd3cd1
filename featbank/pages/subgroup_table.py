"""Tables of results by country, season and the like: one row a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.screen import named
from featbank.pages.table_style import STYLE, interval, metric_name, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featbank.result import Result

    Key = tuple[str, str | None, str | None]

# What stands beside the headline, of one class a sample or of several labels.
_BESIDE: tuple[Key, ...] = (
    ("balanced_accuracy", "macro", None),
    ("f1", "macro", None),
    ("f2", "macro", "0.5"),
    ("f2", "macro", "tuned-f2"),
    ("ece", None, None),
    ("ece", "micro", None),
)
_SHORT = {"0.5": "at 0.5", "tuned-f2": "tuned"}


def subgroup_tables(results: Sequence[Result]) -> Iterator[Table]:
    """One table a column that results were split by, in order.

    Args:
        results: Rows of one result, the headline first.
    """
    for name in dict.fromkeys(row.by for row in results if row.by is not None):
        yield _table(name, results[0], [row for row in results if row.by == name])


def _table(name: str, head: Result, rows: Sequence[Result]) -> Table:
    by_value: dict[str, dict[Key, Result]] = {}
    for row in rows:
        key = (row.metric, row.average, row.threshold)
        by_value.setdefault(str(row.by_value), {})[key] = row
    first: Key = (head.metric, head.average, head.threshold)
    beside = [key for key in _BESIDE if all(key in found for found in by_value.values())]
    table = Table(title=f"By {named(name)}, on {head.split}; F1 and F2 are macro averages", **STYLE)
    table.add_column(named(name), overflow="fold")
    for title in ("n", _title(first), "95 % interval", *map(_title, beside)):
        table.add_column(title, justify="right")
    for value, found in by_value.items():
        row = found[first]
        others = [number(found[key].value) for key in beside]
        table.add_row(named(value), str(row.n), number(row.value), interval(row), *others)
    return table


def _title(key: Key) -> str:
    metric, average, threshold = key
    is_headline = (metric, average) not in {(name, kind) for name, kind, _ in _BESIDE}
    name = metric_name(metric, average if is_headline else None)
    return f"{name} {_SHORT[threshold]}" if threshold in _SHORT else name
