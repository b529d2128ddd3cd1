"""Results as tables on the terminal: the headline with its interval, then one row a class.

Where a sample may bear several labels, the tables are those of ``label_table``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from featbank.pages.label_table import decision_table, label_table
from featbank.pages.table_style import STYLE, interval, metric_name, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.image import Array
    from featbank.result import Result

_WIDE = 100  # columns from which a table of labels has room for intervals and thresholds
_COUNTS = ("tp", "fp", "tn", "fn")
_RATIOS = ("precision", "recall", "specificity", "f1")


def print_results(
    results: Sequence[Result], *, confusion: Array | None = None, console: Console | None = None
) -> None:
    """Print one probe's results.

    Args:
        results: Rows of one result, the headline first.
        confusion: (K, K) counts to print too; None leaves them out.
        console: Where to; None takes the terminal.
    """
    console = console or Console()
    head = results[0]
    is_multilabel = any(row.threshold is not None for row in results)
    console.print(_headline(results))
    if is_multilabel:
        console.print(decision_table(results))
    console.print(_caption(head), highlight=False)
    console.print()
    wide = console.width >= _WIDE
    console.print(label_table(results, wide=wide) if is_multilabel else _by_class(results))
    if confusion is not None:
        console.print(_confusion(results, confusion))


def _headline(results: Sequence[Result]) -> Table:
    head = results[0]
    title = f"{head.protocol} on {head.dataset} by {head.model}, split {head.split_scheme}"
    table = Table(title=title, **STYLE)
    table.add_column("metric")
    table.add_column("split")
    for name in ("value", "95 % interval", "n"):
        table.add_column(name, justify="right")
    for row in results:
        if row.class_name is None and row.threshold is None:
            name = metric_name(row.metric) + (f" ({row.average})" if row.average else "")
            style = "bold" if row.selected else ""
            cells = (name, row.split, number(row.value), interval(row))
            table.add_row(*cells, str(row.n), style=style)
    return table


def _caption(head: Result) -> str:
    parts = [
        f"feature {head.feature}, layer {head.layer}",
        f"labels {head.label_set}",
        f"params {head.params}",
        f"fitted on {head.n_train} samples",
        f"{head.n_invalid} refused",
        f"interval resamples each {head.resampled}",
        f"seed {head.seed}",
        f"weights {head.weights}",
    ]
    note = f"\nNote: {head.note}." if head.note else ""
    return ", ".join(parts) + note


def _by_class(results: Sequence[Result]) -> Table:
    table = Table(title="By class, on test", **STYLE)
    table.add_column("class", overflow="fold")
    for name in ("TP", "FP", "TN", "FN", "prec.", "recall", "spec.", "F1", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    rows: dict[str, dict[str, Result]] = {}
    for row in results:
        if row.class_name is not None:
            rows.setdefault(row.class_name, {})[row.metric] = row
    for name, metrics in rows.items():
        counts = [f"{metrics[metric].value:.0f}" for metric in _COUNTS]
        ratios = [number(metrics[metric].value) for metric in _RATIOS]
        table.add_row(name, *counts, *ratios, interval(metrics["f1"]))
    return table


def _confusion(results: Sequence[Result], confusion: Array) -> Table:
    names = list(dict.fromkeys(row.class_name for row in results if row.class_name is not None))
    table = Table(title="Confusion on test: truth in rows", **STYLE)
    table.add_column("")
    for position in range(len(names)):
        table.add_column(str(position), justify="right")
    for position, (name, row) in enumerate(zip(names, confusion, strict=True)):
        cells = [f"[bold]{n:.0f}[/]" if k == position else f"{n:.0f}" for k, n in enumerate(row)]
        table.add_row(f"{position} {name}", *cells)
    return table
