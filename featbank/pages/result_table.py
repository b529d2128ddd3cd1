"""Results as tables on the terminal: the headline with its interval, then one row a class.

Where a sample may bear several labels, the tables are those of ``label_table``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.calibration_line import calibration_line
from featbank.pages.label_table import CONSTANTS, decision_table, label_table
from featbank.pages.screen import Screen, named
from featbank.pages.subgroup_table import subgroup_tables
from featbank.pages.table_style import (
    STYLE,
    buffered,
    how_far,
    interval,
    intervals_over,
    metric_name,
    number,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from featbank.image import Array
    from featbank.result import Result

_WIDE = 100  # columns from which a table of labels has room for intervals and thresholds
_COUNTS = ("tp", "fp", "tn", "fn")
_RATIOS = ("precision", "recall", "specificity", "f1")
# What is read first; every other metric stands in the results file. Macro recall of one class a
# sample is balanced accuracy.
_LEADING = (
    ("accuracy", None),
    ("top3_accuracy", None),
    ("top5_accuracy", None),
    ("balanced_accuracy", "macro"),
    ("f1", "macro"),
    ("f1", "weighted"),
    ("precision", "macro"),
    ("kappa", None),
    ("map", "macro"),
    ("map", "micro"),
    ("map", "weighted"),
)


def print_results(
    results: Sequence[Result], *, confusion: Array | None = None, console: Console | None = None
) -> None:
    """Print one probe's results.

    Args:
        results: Rows of one result, the headline first.
        confusion: (K, K) counts to print too; None leaves them out.
        console: Where to; None takes the terminal.
    """
    console = console or Screen()
    wide = console.width >= _WIDE
    head, whole = results[0], [row for row in results if row.by is None]
    is_multilabel = any(row.threshold is not None for row in whole)
    console.print(_headline(whole))
    if is_multilabel:
        console.print(decision_table(whole, wide=wide))
        console.print(CONSTANTS, highlight=False)
    for line in (calibration_line(whole), _caption(head)):
        if line:
            console.print(line, highlight=False, markup=False)
    console.print()
    for table in subgroup_tables(results):
        console.print(table)
    console.print(label_table(whole, wide=wide) if is_multilabel else _by_class(whole))
    if confusion is not None:
        console.print(_confusion(whole, confusion))


def _headline(results: Sequence[Result]) -> Table:
    head = results[0]
    title = f"{head.protocol} on {head.dataset} by {head.model}, split {head.split_scheme}"
    title = named(title + buffered(head))
    table = Table(title=title, **STYLE)
    table.add_column("metric")
    plain = [row for row in results if row.class_name is None and row.threshold is None]
    validation = {_key(row): row for row in plain if row.split == "val"}
    found = {_key(row): row for row in plain if row.split == head.split}
    beside = {
        "validation": {key: number(row.value) for key, row in validation.items()},
        f"± of {head.seeds} seeds": {
            key: number(row.seed_sd) for key, row in found.items() if row.seed_sd is not None
        },
    }
    columns = {title: cells for title, cells in beside.items() if cells}
    for title in ("test", "95 % interval", *columns):
        table.add_column(title, justify="right")
    for key in (_key(head), *(k for k in _LEADING if k in found and k != _key(head))):
        row, others = found[key], (cells.get(key, "") for cells in columns.values())
        style = "bold" if row.selected else ""
        table.add_row(metric_name(*key), number(row.value), interval(row), *others, style=style)
    return table


def _key(row: Result) -> tuple[str, str | None]:
    return row.metric, row.average


def _caption(head: Result) -> str:
    parts = [
        f"{head.n} {head.split} samples, {head.n_invalid} refused",
        f"feature {head.feature}, layer {head.layer}",
        f"labels {head.label_set}",
        f"params {head.params}",
        f"fitted on {head.n_train} samples",
        f"seed {head.seed}",
        f"weights {head.weights}",
    ]
    if head.shots is not None:
        parts.insert(5, f"{head.shots} of each class")
    if head.test_store is not None:
        parts.insert(1, f"of {head.test_store}")
    parts += [far] if (far := how_far(head)) else []
    note = f"\nNote: {head.note}." if head.note else ""
    spans = "" if head.low is None else f" {intervals_over([head.resampled])}."
    return ", ".join(parts) + "." + spans + note


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
        table.add_row(named(name), *counts, *ratios, interval(metrics["f1"]))
    return table


def _confusion(results: Sequence[Result], confusion: Array) -> Table:
    names = list(dict.fromkeys(row.class_name for row in results if row.class_name is not None))
    table = Table(title="Confusion on test: truth in rows", **STYLE)
    table.add_column("")
    for position in range(len(names)):
        table.add_column(str(position), justify="right")
    for position, (name, row) in enumerate(zip(names, confusion, strict=True)):
        cells = [f"[bold]{n:.0f}[/]" if k == position else f"{n:.0f}" for k, n in enumerate(row)]
        table.add_row(named(f"{position} {name}"), *cells)
    return table
