"""Headline values of many results with intervals, baselines marked."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from featbank.lookup.baselines import BASELINES
from featbank.lookup.result_names import names_of
from featbank.pages.figures.drawing.needs import RESULT, task_of, whole_results
from featbank.pages.figures.drawing.style import (
    COLOURS,
    GREY,
    SMALL_PT,
    TEXT_PT,
    bare,
    headed,
    new_figure,
    wrapped,
)
from featbank.pages.figures.drawing.wording import caption_of, metric_of
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.table_style import intervals_over, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featbank.lookup.subject import Subject
    from featbank.result import Result

_ROW, _NAME_CHARS = 0.36, 50


def headline_values(heads: Sequence[Result], *, title: str = "", caption: str = "") -> Figure:
    """Draw a row a result, the best first; one panel for each set that may be compared.

    Args:
        heads: Headlines.
        title: What stands above.
        caption: What stands below, before how to read it.
    """
    ordered = sorted(heads, key=task_of)
    panels = [list(group) for _, group in groupby(ordered, key=task_of)]
    heights = [_ROW * len(panel) + 0.9 for panel in panels]
    figure = new_figure(8.2, sum(heights) + 0.9)
    parts = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
    for axes, panel in zip(parts, panels, strict=True):
        _panel(axes, _best_first(panel))
        if len(panels) > 1:
            axes.set_title(_task_name(panel[0]), fontsize=SMALL_PT + 1, loc="left")
    headed(figure, title, f"{caption} {_reading(heads)}".strip())
    return figure


def _reading(heads: Sequence[Result]) -> str:
    return (
        f"Lines: {intervals_over(head.resampled for head in heads)}. Open triangles are baselines."
    )


def _best_first(panel: Sequence[Result]) -> list[Result]:
    from featbank.metrics import METRICS

    sign = 1 if METRICS[panel[0].metric].less_is_better else -1
    return sorted(panel, key=lambda h: (np.isnan(h.value), sign * np.nan_to_num(h.value), h.result))


def _panel(axes: Axes, panel: Sequence[Result]) -> None:
    bare(axes, grid="x")
    for position, head in enumerate(panel):
        is_baseline = head.model in BASELINES
        colour = GREY if is_baseline else COLOURS[0]
        if head.low is not None and head.high is not None:
            axes.plot([head.low, head.high], [position] * 2, color=colour, linewidth=1.6)
        axes.plot(
            [head.value],
            [position],
            marker="^" if is_baseline else "o",
            color=colour,
            markerfacecolor="white" if is_baseline else colour,
            markersize=6.5,
        )
        text = number(head.value) if not np.isnan(head.value) else "no value"
        axes.text(1.01, position, text, fontsize=SMALL_PT, va="center",
                  transform=axes.get_yaxis_transform())  # fmt: skip
    names = [wrapped(name, _NAME_CHARS) for name in names_of(panel)]
    axes.set_yticks(range(len(panel)), names)
    axes.set_ylim(len(panel) - 0.4, -0.6)
    axes.set_xlabel(metric_of(panel[0]), fontsize=TEXT_PT)


def _task_name(head: Result) -> str:
    shots = f", {head.shots} shots" if head.shots else ""
    where = f"{head.dataset}, labels {head.label_set}, split {head.split_scheme}{shots}"
    return f"{where}, N = {head.n:,}"


def _missing(subject: Subject) -> str:
    return "" if whole_results(subject) else RESULT


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    heads = [rows[0] for rows in whole_results(subject)]
    datasets = sorted({head.dataset for head in heads})
    tasks = {task_of(head) for head in heads}
    title = f"Headlines: {', '.join(datasets)}"
    if len(tasks) == 1:
        title = f"Headlines: {_task_name(heads[0])}, {heads[0].split}"
    return headline_values(heads, title=title, caption=caption_of(heads))


SPECS = (
    FigureSpec(
        name="headlines",
        title="Headlines",
        summary="The headline value of each result with its interval, baselines marked",
        needs_store=False,
        missing=_missing,
        draw=_draw,
    ),
)
