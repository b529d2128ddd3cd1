"""The cheap baselines beside a result, and how to make those that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.screen import Screen, named
from featbank.pages.table_style import STYLE, interval, metric_name, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.result import Result


def print_baselines(
    head: Result, baselines: Sequence[Result], *, hint: str = "", troubles: Sequence[str] = ()
) -> None:
    """Print headline rows side by side.

    Args:
        head: Headline of the probed store.
        baselines: Headlines of baselines, probed in the same way.
        hint: Commands that make those that are missing; '' where none is.
        troubles: Baselines that cannot be probed in this way, and why.
    """
    console = Screen(highlight=False)
    if baselines:
        console.print(_table(head, baselines))
    for trouble in troubles:
        console.print(f"[dim]No baseline {named(trouble)}[/]", soft_wrap=True)
    if hint:
        console.print(
            f"[dim]Baselines beside it are missing; make them by: {named(hint)}[/]", soft_wrap=True
        )


def _table(head: Result, baselines: Sequence[Result]) -> Table:
    average = f" ({head.average})" if head.average else ""
    table = Table(title=f"Beside it: {metric_name(head.metric)}{average} on test", **STYLE)
    table.add_column("model", overflow="fold")
    for name in ("value", "95 % interval", "gain"):
        table.add_column(name, justify="right")
    table.add_row(named(head.model), number(head.value), interval(head), "", style="bold")
    for row in baselines:
        gain = head.value - row.value
        table.add_row(named(row.model), number(row.value), interval(row), f"{gain:+.3f}")
    return table
