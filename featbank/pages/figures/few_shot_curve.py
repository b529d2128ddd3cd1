"""Value against training samples of each class, with the spread of the draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import NullLocator

from featbank.lookup.result_names import names_of
from featbank.pages.figures.drawing.needs import same_task
from featbank.pages.figures.drawing.style import (
    GREY,
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
# What a result on all training samples must share with a few-shot run to stand beside it.
_SAME = ("probe", "protocol", "feature", "layer", "store", "model")


def few_shot_curve(
    few: Sequence[Rows], full: Sequence[Result] = (), *, title: str = "", caption: str = ""
) -> Figure:
    """Draw mean and spread by number of shots, and results on all samples to fit on as lines.

    Args:
        few: Rows of each few-shot result, one a number of shots.
        full: Headlines on all training samples; each takes the colour of its few-shot result.
        title: What stands above.
        caption: What stands below, before how to read it.
    """
    figure = new_figure(8.2, 4.6)
    axes = bare(figure.add_subplot(), grid="y")
    axes.set_xscale("log")
    names = names_of([rows[0] for rows in few])
    for position, (rows, name) in enumerate(zip(few, names, strict=True)):
        _curve(axes, rows, position, name)
    heads = [rows[0] for rows in few]
    for head in full:
        _line(axes, head, heads)
    shots = sorted({row.shots for rows in few for row in rows if row.shots is not None})
    axes.set_xticks(shots, [str(each) for each in shots])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("training samples of each class, log axis", fontsize=TEXT_PT)
    axes.set_ylabel(metric_of(heads[0]), fontsize=TEXT_PT)
    beside(axes)
    headed(figure, title, f"{caption} {_reading(few)}".strip())
    return figure


def _curve(axes: Axes, rows: Rows, position: int, name: str) -> None:
    ordered = sorted(rows, key=lambda row: row.shots or 0)
    colour, marker = curve_mark(position)
    shots, values = [row.shots or 0 for row in ordered], [row.value for row in ordered]
    spread = np.array([0.0 if row.seed_sd is None else row.seed_sd for row in ordered])
    axes.errorbar(
        shots,
        values,
        yerr=spread,
        color=colour,
        marker=marker,
        capsize=3,
        linewidth=1.5,
        label=wrapped(name, _NAME_CHARS),
    )


def _line(axes: Axes, head: Result, heads: Sequence[Result]) -> None:
    if np.isnan(head.value):
        return
    fitting = [i for i, each in enumerate(heads) if is_full_of(head, each)]
    colour = curve_mark(fitting[0])[0] if fitting else GREY
    label = wrapped(
        f"all {head.n_train:,} samples fitted on, {head.model} {head.probe}", _NAME_CHARS
    )
    axes.axhline(head.value, color=colour, linestyle="--", linewidth=1.2, label=label)
    if head.low is not None and head.high is not None:
        axes.axhspan(head.low, head.high, color=colour, alpha=0.12, linewidth=0)


def is_full_of(head: Result, few: Result) -> bool:
    """Whether a result is that of a few-shot run on all that its protocol fits on."""
    return all(getattr(head, name) == getattr(few, name) for name in _SAME)


def _reading(few: Sequence[Rows]) -> str:
    draws = sorted({row.seeds for rows in few for row in rows})
    said = " or ".join(map(str, draws))
    return (
        f"Points are means of {said} draws, bars one standard deviation over them; dashed lines "
        "are results on all samples that the protocol fits on, shaded their 95 % intervals, which "
        f"{LEAVES_OUT}."
    )


def _chosen(subject: Subject) -> tuple[list[Rows], list[Result]]:
    few = same_task([rows for rows in subject.results if rows[0].shots is not None])
    others = [rows for rows in subject.results if rows[0].shots is None]
    full = [rows[0] for rows in same_task([*few[:1], *others])[1:]] if few else []
    return few, [head for head in full if any(is_full_of(head, rows[0]) for rows in few)]


def _missing(subject: Subject) -> str:
    few, _ = _chosen(subject)
    return "" if few else "a few-shot result ('featbank probe --shots 1,5,20' makes one)"


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    few, full = _chosen(subject)
    heads = [rows[0] for rows in few]
    title = title_of("Few shots", heads[0])
    return few_shot_curve(few, full, title=title, caption=caption_of(heads))


SPECS = (
    FigureSpec(
        name="few-shot-curve",
        title="Few-shot curve",
        summary="Value against training samples of each class, with the spread of the draws",
        needs_store=False,
        missing=_missing,
        draw=_draw,
    ),
)
