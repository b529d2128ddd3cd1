"""Every candidate of a protocol on test, where the protocol tells them all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.screen import Screen
from featbank.pages.table_style import STYLE, metric_name, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from featbank.result import Result

# What tells the rows of one probe apart.
_TOLD_ONCE = ("metric", "average", "threshold", "split", "class_name", "by", "by_value")


def chosen_rows(results: Sequence[Result]) -> list[Result]:
    """Rows of the chosen candidate: those of the headline's parameters.

    Where every candidate is told, the chosen one stands among them again, without an interval;
    that row is left out.
    """
    first: dict[tuple[object, ...], Result] = {}
    for row in results:
        if row.params == results[0].params:
            first.setdefault(tuple(getattr(row, name) for name in _TOLD_ONCE), row)
    return list(first.values())


def print_candidates(results: Sequence[Result], *, console: Console | None = None) -> None:
    """Print the headline metric of each candidate; nothing where only one is told.

    Args:
        results: Rows of one result.
        console: Where to; None takes the terminal.
    """
    head = results[0]
    wanted = (head.metric, head.average, "test", None)
    rows = [r for r in results if (r.metric, r.average, r.split, r.class_name) == wanted]
    tried = {row.params: row for row in rows if row.by is None}
    if len(tried) < 2:
        return
    params = {text: json.loads(text) for text in tried}
    first = next(iter(params.values()))
    swept = [name for name in first if len({str(p.get(name)) for p in params.values()}) > 1]
    average = f" ({head.average})" if head.average else ""
    table = Table(title="Every candidate on test; the chosen one is bold", **STYLE)
    for name in (*swept, f"{metric_name(head.metric)}{average}"):
        table.add_column(name, justify="right")
    ordered = sorted(tried, key=lambda text: [params[text][name] for name in swept])
    for text in ordered:
        cells = [str(params[text][name]) for name in swept]
        style = "bold" if text == head.params else ""
        table.add_row(*cells, number(tried[text].value), style=style)
    (console or Screen(highlight=False)).print(table)
