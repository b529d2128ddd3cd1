"""Value against the number of neighbours, where a protocol tells every k."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import NullLocator

from featbank.lookup.result_names import names_of
from featbank.pages.figures.drawing.needs import same_task, whole_results
from featbank.pages.figures.drawing.style import (
    TEXT_PT,
    bare,
    beside,
    curve_mark,
    headed,
    new_figure,
    wrapped,
)
from featbank.pages.figures.drawing.wording import caption_of, metric_of, title_of
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.table_style import LEAVES_OUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featbank.lookup.subject import Subject
    from featbank.result import Result

Rows = tuple["Result", ...]
_NAME_CHARS = 30
_READING = (
    "The larger mark is the k chosen on validation; its line is the 95 % interval of that probe "
    f"on new test samples or groups. Intervals {LEAVES_OUT}."
)


def k_curve(results: Sequence[Rows], *, title: str = "", caption: str = "") -> Figure:
    """Draw the headline metric on test of each k.

    Args:
        results: Rows of each result, the headline first.
        title: What stands above.
        caption: What stands below, before how to read it.
    """
    figure = new_figure(8.2, 4.4)
    axes = bare(figure.add_subplot(), grid="y")
    axes.set_xscale("log")
    names = names_of([rows[0] for rows in results])
    for position, (rows, name) in enumerate(zip(results, names, strict=True)):
        _curve(axes, rows, position, name)
    ticks = sorted({k for rows in results for k, _ in neighbours(rows)})
    axes.set_xticks(ticks, [str(k) for k in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("k nearest neighbours, log axis", fontsize=TEXT_PT)
    axes.set_ylabel(metric_of(results[0][0]), fontsize=TEXT_PT)
    beside(axes)
    headed(figure, title, f"{caption} {_READING}".strip())
    return figure


def neighbours(rows: Rows) -> list[tuple[int, Result]]:
    """Each k with its row of the headline metric on test, the smallest first.

    Where candidates differ by more than k, those that share the rest with the headline.
    """
    head = rows[0]
    chosen = json.loads(head.params)
    if head.probe != "knn" or "k" not in chosen:
        return []
    wanted = (head.metric, head.average, head.split, head.threshold, None, None)
    found: dict[int, Result] = {}
    for row in rows:
        said = (row.metric, row.average, row.split, row.threshold, row.class_name, row.by)
        params = json.loads(row.params)
        if said == wanted and {**params, "k": None} == {**chosen, "k": None}:
            found.setdefault(int(params["k"]), row)
    return sorted(found.items())


def _curve(axes: Axes, rows: Rows, position: int, name: str) -> None:
    found = neighbours(rows)
    colour, marker = curve_mark(position)
    ks, values = [k for k, _ in found], np.array([row.value for _, row in found])
    axes.plot(ks, values, color=colour, marker=marker, markersize=4.5, linewidth=1.4,
              label=wrapped(name, _NAME_CHARS))  # fmt: skip
    head = rows[0]
    k = int(json.loads(head.params)["k"])
    axes.plot([k], [head.value], color=colour, marker=marker, markersize=9)
    if head.low is not None and head.high is not None:
        axes.plot([k, k], [head.low, head.high], color=colour, linewidth=1.2)


def _chosen(subject: Subject) -> list[Rows]:
    return same_task([rows for rows in whole_results(subject) if len(neighbours(rows)) > 1])


def _missing(subject: Subject) -> str:
    if _chosen(subject):
        return ""
    return "a k-NN result that tells several k ('featbank probe --protocol dinov2-knn' makes one)"


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    results = _chosen(subject)
    heads = [rows[0] for rows in results]
    title = title_of("Neighbours", heads[0])
    return k_curve(results, title=title, caption=caption_of(heads))


SPECS = (
    FigureSpec(
        name="k-curve",
        title="Value by number of neighbours",
        summary="Value of k-NN against k, for protocols that tell every k",
        needs_store=False,
        missing=_missing,
        draw=_draw,
    ),
)
