"""F2 or F1 of each class with intervals, for several results side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import UsageError
from featbank.lookup.result_names import names_of
from featbank.metrics import METRICS
from featbank.pages.candidate_table import chosen_rows
from featbank.pages.figures.drawing.needs import RESULT, same_task, whole_results
from featbank.pages.figures.drawing.style import (
    COLOURS,
    GREY,
    SMALL_PT,
    TEXT_PT,
    bare,
    counted,
    headed,
    new_figure,
    wrapped,
)
from featbank.pages.figures.drawing.wording import caption_of, title_of
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.table_style import intervals_over, metric_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featbank.lookup.subject import Subject
    from featbank.result import Result

Rows = tuple["Result", ...]
MOST_PANELS = 4
_ROW, _PANEL_WIDTH, _NAMES_WIDTH = 0.25, 2.6, 3.4
_NAME_CHARS, _PANEL_CHARS = 46, 32


def class_scores(
    results: Sequence[Rows],
    *,
    metric: str | None = None,
    threshold: str = "0.5",
    title: str = "",
    caption: str = "",
) -> Figure:
    """Draw a panel a result: a bar a class, the class of most samples first.

    Args:
        results: Rows of each, the headline first, on one label set.
        metric: One that has a value a class; None takes F2 of several labels, F1 of one class.
        threshold: Which thresholds decide, where samples may bear several labels.
        title: What stands above.
        caption: What stands below, before how to read it.

    Raises:
        UnknownNameError: No such metric.
        UsageError: None of the results tells it of each class, or by these thresholds.
    """
    wanted = class_metric(results, metric)
    panels = [score_rows(rows, wanted, threshold) for rows in results]
    _require_values(panels, results, wanted, threshold)
    order = _order(panels)
    height = max(1.2, _ROW * len(order) * _stretch(order)) + 1.8
    figure = new_figure(_NAMES_WIDTH + _PANEL_WIDTH * len(panels), height)
    parts = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    names = names_of([rows[0] for rows in results])
    for position, (axes, panel, rows) in enumerate(zip(parts, panels, results, strict=True)):
        _panel(axes, panel, order, COLOURS[position % len(COLOURS)])
        axes.set_title(wrapped(names[position], _PANEL_CHARS), fontsize=SMALL_PT + 0.5, loc="left")
        _mean_line(axes, rows, wanted, next(iter(panel.values())).threshold if panel else None)
    _name_classes(parts[0], panels, order)
    said = next((row.threshold for panel in panels for row in panel.values()), None)
    parts[len(parts) // 2].set_xlabel(metric_name(wanted, None, said), fontsize=TEXT_PT)
    headed(figure, title, f"{caption} {_reading(results)}".strip())
    return figure


def class_metric(results: Sequence[Rows], metric: str | None = None) -> str:
    """The metric that is drawn: the one asked for, or F2 of several labels and F1 of one class.

    Raises:
        UnknownNameError: No such metric.
        UsageError: No result tells it of each class.
    """
    rows = [row for each in results for row in each if row.class_name is not None]
    is_multilabel = any(row.threshold is not None for row in rows)
    wanted = METRICS[metric].name if metric else "f2" if is_multilabel else "f1"
    # Tuned thresholds stand among the rows of a class, and are no metric.
    told = {row.metric for row in rows} & set(METRICS)
    known = sorted(name for name in told if METRICS[name].averages)
    if wanted not in {row.metric for row in rows}:
        raise UsageError(
            f"--metric {wanted}",
            "no result tells it of each class",
            f"one of {', '.join(known)}" if known else "results with values of each class",
            "Choose another metric or other results.",
        )
    return wanted


def score_rows(rows: Rows, metric: str, threshold: str) -> dict[str, Result]:
    """The row of each class of a result on test."""
    kept = [
        row
        for row in chosen_rows(rows)
        if row.metric == metric
        and row.class_name is not None
        and row.by is None
        and row.split == rows[0].split
        and row.threshold in (None, threshold)
    ]
    return {str(row.class_name): row for row in kept}


def _require_values(
    panels: Sequence[dict[str, Result]], results: Sequence[Rows], metric: str, threshold: str
) -> None:
    if any(panels):
        return
    rows = (row for each in results for row in each if row.metric == metric and row.class_name)
    raise UsageError(
        f"--threshold {threshold}",
        "the results have no such thresholds",
        f"one of {', '.join(sorted({str(row.threshold) for row in rows}))}",
        "Choose others with --threshold.",
    )


def _order(panels: Sequence[dict[str, Result]]) -> list[str]:
    """Classes by samples, the most first; of equal ones by name."""
    support: dict[str, int] = {}
    for panel in panels:
        for name, row in panel.items():
            support[name] = max(support.get(name, 0), row.n)
    return sorted(support, key=lambda name: (-support[name], name))


def _stretch(order: Sequence[str]) -> float:
    return 1.15 if any(len(name) > _NAME_CHARS for name in order) else 1.0


def _panel(axes: Axes, panel: dict[str, Result], order: Sequence[str], colour: str) -> None:
    bare(axes, grid="x")
    for position, name in enumerate(order):
        row = panel.get(name)
        if row is None or np.isnan(row.value):
            axes.text(0.01, position, "no value", va="center", fontsize=SMALL_PT - 1, color=GREY)
            continue
        axes.barh(position, row.value, height=0.72, color=colour)
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [position] * 2, color="black", linewidth=1.1)
    axes.set(xlim=(0, 1), ylim=(len(order) - 0.4, -0.6))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])


def _mean_line(axes: Axes, rows: Rows, metric: str, threshold: str | None) -> None:
    """The macro average of the same decisions, where the result tells it."""
    found = [
        row.value
        for row in chosen_rows(rows)
        if (row.metric, row.average, row.class_name, row.by) == (metric, "macro", None, None)
        and row.threshold == threshold
    ]
    if found and not np.isnan(found[0]):
        axes.axvline(found[0], color=GREY, linestyle="--", linewidth=1, zorder=0.5)


def _name_classes(axes: Axes, panels: Sequence[dict[str, Result]], order: Sequence[str]) -> None:
    support = {name: row.n for panel in panels for name, row in panel.items()}
    names = [wrapped(counted(name, support[name]), _NAME_CHARS) for name in order]
    axes.set_yticks(range(len(order)), names)
    axes.tick_params(axis="y", length=0, labelsize=SMALL_PT if len(order) < 30 else SMALL_PT - 0.5)


def _reading(results: Sequence[Rows]) -> str:
    resampled = [rows[0].resampled for rows in results]
    return (
        f"Black lines, where there are any: {intervals_over(resampled)}. Dashed is the macro "
        "average. Samples of each class stand in brackets, the most frequent on top."
    )


def _drawn(subject: Subject) -> tuple[list[Rows], int]:
    """The results that are drawn, best first, and how many more there are."""
    first = same_task(whole_results(subject))
    first = [rows for rows in first if any(row.class_name is not None for row in rows)]
    if len(first) > MOST_PANELS:
        first = sorted(first, key=lambda rows: -np.nan_to_num(rows[0].value))
    return first[:MOST_PANELS], max(0, len(first) - MOST_PANELS)


def _missing(subject: Subject) -> str:
    drawn, _ = _drawn(subject)
    if not drawn:
        return RESULT if not subject.results else "a result with values of each class"
    try:
        class_metric(drawn)
    except UsageError as error:
        return f"a result with {error.subject.removeprefix('--metric ')} of each class"
    return ""


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    drawn, more = _drawn(subject)
    wanted = class_metric(drawn, options.metric)
    rest = f"The {MOST_PANELS} best of {MOST_PANELS + more} results." if more else ""
    heads = [rows[0] for rows in drawn]
    return class_scores(
        drawn,
        metric=wanted,
        threshold=options.threshold,
        title=title_of(f"{metric_name(wanted)} of each class", heads[0]),
        caption=caption_of(heads, rest),
    )


SPECS = (
    FigureSpec(
        name="class-scores",
        title="Scores of each class",
        summary="F2 or F1 of each class with intervals, several results side by side",
        needs_store=False,
        missing=_missing,
        draw=_draw,
    ),
)
