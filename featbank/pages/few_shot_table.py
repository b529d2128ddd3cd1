"""Few-shot results as a table: mean and spread over the draws, by number of shots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.screen import Screen, named
from featbank.pages.table_style import STYLE, how_far, metric_name, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from featbank.result import Result


def print_few_shot(results: Sequence[Result], *, console: Console | None = None) -> None:
    """Print one few-shot result, the fewest shots first.

    Args:
        results: Rows of one result.
        console: Where to; None takes the terminal.
    """
    head = results[0]
    console = console or Screen(highlight=False)
    title = f"{head.protocol} on {head.dataset} by {head.model}, split {head.split_scheme}"
    table = Table(title=title, **STYLE)
    average = f" ({head.average})" if head.average else ""
    names = ("shots", f"{metric_name(head.metric)}{average}", "sd of draws", "draws", "fitted on")
    for name in (*names, "n"):
        table.add_column(name, justify="right")
    for row in sorted(results, key=lambda row: row.shots or 0):
        spread = "" if row.seed_sd is None else number(row.seed_sd)
        cells = (str(row.shots), number(row.value), spread, str(row.seeds))
        table.add_row(*cells, str(row.n_train), str(row.n))
    console.print(table)
    console.print(
        f"feature {head.feature}, layer {head.layer}, labels {head.label_set}, fitted on the shots "
        "alone, parameters chosen (where there are any to choose) on as many validation samples of "
        f"each class, or all it has, {head.n_invalid} refused, weights {head.weights}"
    )
    if far := how_far(head):
        console.print(f"Of {head.shots} shots: {far}.")
    if head.note:
        console.print(f"Note: {named(head.note)}.")
