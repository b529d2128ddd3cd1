"""Tables of several labels a sample: decisions by both sets of thresholds, and label by label."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from rich.table import Table

from featbank.pages.screen import named
from featbank.pages.table_style import STYLE, interval, metric_name, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.result import Result

_AVERAGES = ("macro", "micro", "weighted", "samples")
_DECISIONS: tuple[tuple[str, str | None], ...] = (
    *((metric, average) for metric in ("f2", "f1") for average in _AVERAGES),
    ("precision", "macro"),
    ("precision", "micro"),
    ("recall", "macro"),
    ("recall", "micro"),
    ("hamming_loss", None),
)
CONSTANTS = "constant: F2 and F1 of a yes to every label, Hamming loss of a no to every label"
_CONSTANT = ("all-positive", "all-negative")
_FIXED, _TUNED = "0.5", "tuned-f2"
_TITLES = {_FIXED: "at 0.5", _TUNED: "tuned for F2"}


def decision_table(results: Sequence[Result], *, wide: bool) -> Table:
    """Aggregates of decisions on test, the sets of thresholds side by side.

    Beside them stands what a decision that looks at no score reaches.

    Args:
        results: Rows of one result.
        wide: Whether there is room for the intervals of more than two sets of thresholds.
    """
    table = Table(title="Decisions on test, by threshold", **STYLE)
    table.add_column("metric")
    rows = {
        (row.metric, row.average, row.threshold): row
        for row in results
        if row.class_name is None and row.threshold is not None
    }
    names = [n for n in dict.fromkeys(name for _, _, name in rows) if n not in _CONSTANT]
    with_intervals = wide or len(names) <= len(_TITLES)
    for name in names:
        table.add_column(_TITLES.get(str(name), str(name)), justify="right")
        if with_intervals:
            table.add_column("95 %", justify="right")
    table.add_column("constant", justify="right")
    for metric, average in _DECISIONS:
        found = [rows[metric, average, name] for name in names]
        cells = [(number(row.value), *([interval(row)] if with_intervals else [])) for row in found]
        constants = [rows.get((metric, average, name)) for name in _CONSTANT]
        constant = "".join(number(row.value) for row in constants if row is not None)
        table.add_row(metric_name(metric, average), *chain(*cells), constant)
    return table


def label_table(results: Sequence[Result], *, wide: bool) -> Table:
    """One row a label, on test.

    Args:
        results: Rows of one result.
        wide: Whether there is room for the interval of average precision and for the thresholds.
    """
    table = Table(title="By label, on test; precision and recall at 0.5", **STYLE)
    table.add_column("label", overflow="fold")
    titles = ["n", "AP", *(["95 %"] if wide else []), "F2", "F2 tuned", "F1", "prec.", "recall"]
    for title in (*titles, *(["threshold"] if wide else [])):
        table.add_column(title, justify="right", no_wrap=True)
    by_label: dict[str, dict[tuple[str, str | None], Result]] = {}
    for row in results:
        if row.class_name is not None:
            by_label.setdefault(row.class_name, {})[row.metric, row.threshold] = row
    for name, rows in by_label.items():
        table.add_row(named(name), *_cells(rows, wide=wide))
    return table


def _cells(rows: dict[tuple[str, str | None], Result], *, wide: bool) -> list[str]:
    ranked = rows["map", None]
    keys = [("f2", _FIXED), ("f2", _TUNED), ("f1", _FIXED), ("precision", _FIXED)]
    keys += [("recall", _FIXED), *([("threshold", _TUNED)] if wide else [])]
    head = [str(ranked.n), number(ranked.value), *([interval(ranked)] if wide else [])]
    return head + [number(rows[key].value) for key in keys]
