"""Published numbers beside a result: greyed, with their source, never averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.screen import Screen
from featbank.pages.table_style import STYLE, metric_name, number
from featbank.publications import PUBLICATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from featbank.publications import PublicationSpec, PublishedRow
    from featbank.result import Result


def print_published(results: Sequence[Result], *, console: Console | None = None) -> None:
    """Print what others have published of the same dataset, labels and metrics.

    Args:
        results: Rows of one result.
        console: Where to; None takes the terminal.
    """
    found = sorted(published_beside(results), key=lambda pair: _order(pair[1]))
    if not found:
        return
    console = console or Screen(highlight=False)
    console.print(_table(found))
    for publication in {spec.name: spec for spec, _ in found}.values():
        console.print(f"[dim]{publication.name}: {publication.source}[/]", highlight=False)


def published_beside(
    results: Sequence[Result],
) -> Iterator[tuple[PublicationSpec, PublishedRow]]:
    """Published rows that a result may be read beside, with their source.

    A row of which the source does not say the average stands beside any. What differs still
    (subset, split, normalisation) is in the row's remark: these are no baselines of the same run.
    """
    head = results[0]
    told = {(row.metric, row.average) for row in results if row.class_name is None}
    for spec in PUBLICATIONS.values():
        for row in spec.rows:
            averages = {average for metric, average in told if metric == row.metric}
            is_told = row.average in averages or (row.average is None and bool(averages))
            if (row.dataset, row.label_set) == (head.dataset, head.label_set) and is_told:
                yield spec, row


def _order(row: PublishedRow) -> tuple[str, str, float]:
    return row.metric, row.average or "", -row.value


def _table(found: Sequence[tuple[PublicationSpec, PublishedRow]]) -> Table:
    table = Table(title="Published by others, on their own subsets and splits", **STYLE)
    for name in ("model", "probe", "metric"):
        table.add_column(name, overflow="fold", style="dim")
    table.add_column("value", justify="right", style="dim")
    for name in ("source", "remark"):
        table.add_column(name, overflow="fold", style="dim")
    for spec, row in found:
        metric = metric_name(row.metric) + (f" ({row.average})" if row.average else "")
        table.add_row(row.model, row.probe, metric, number(row.value), spec.name, row.remark)
    return table
