"""Differences of pairs of results with intervals, corrected for how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.lookup.result_names import names_of
from featbank.metrics import METRICS
from featbank.pages.figures.drawing.needs import same_task, whole_results
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
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.table_style import LEAVES_OUT, metric_name, number
from featbank.stages.compare.options import RESAMPLES
from featbank.stages.compare.run import CompareOptions, Comparison, compare_results
from featbank.stages.compare.verdict import letters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featbank.lookup.subject import Subject
    from featbank.result import Result
    from featbank.stages.compare.pairs import Pair

# Beyond as many pairs only those with the best result are drawn. Of more results the best are
# compared: with 66 pairs, 10,000 resamples can still show a difference after Holm's correction
# (2 · 66 / 10,001 = .013).
_MOST_PAIRS, _MOST_RESULTS = 15, 12
_ROW, _KEY_CHARS = 0.34, 100


def comparison_plot(found: Comparison, *, title: str = "", caption: str = "") -> Figure:
    """Draw a row a pair: its difference and 95 % interval; filled where one is shown better.

    Args:
        found: What ``featbank.stages.compare.run.compare_results`` gives.
        title: What stands above.
        caption: What stands below, before how to read it.
    """
    pairs = drawn_pairs(found)
    names = names_of(found.results)
    key = [
        f"{letters(position)}  {name} ({number(value)})"
        for position, (name, value) in enumerate(zip(names, found.values, strict=True))
    ]
    said = "\n".join(wrapped(line, _KEY_CHARS) for line in key)
    figure = new_figure(8.2, _ROW * len(pairs) + 0.15 * (said.count("\n") + 1) + 1.6)
    axes = figure.add_subplot()
    axes.set_title(said, fontsize=SMALL_PT, loc="left", ha="left")
    _rows(axes, pairs)
    wanted = found.wanted
    name = metric_name(wanted.metric, wanted.average, wanted.threshold)
    axes.set_xlabel(f"difference of {name}", fontsize=TEXT_PT)
    headed(figure, title, f"{caption} {_reading(found, pairs)}".strip())
    return figure


def drawn_pairs(found: Comparison) -> list[Pair]:
    """All pairs, or those with the best result where there are many."""
    if len(found.pairs) <= _MOST_PAIRS:
        return list(found.pairs)
    values = np.nan_to_num(found.values)
    less = METRICS[found.wanted.metric].less_is_better
    best = int(values.argmin() if less else values.argmax())
    return [pair for pair in found.pairs if best in (pair.a, pair.b)]


def _rows(axes: Axes, pairs: Sequence[Pair]) -> None:
    bare(axes, grid="x")
    axes.axvline(0, color=GREY, linewidth=1)
    for position, pair in enumerate(pairs):
        is_shown = pair.better is not None
        colour = COLOURS[0] if is_shown else GREY
        if pair.low is not None and pair.high is not None:
            axes.plot([pair.low, pair.high], [position] * 2, color=colour, linewidth=1.6)
        axes.plot([pair.difference], [position], marker="o", color=colour, markersize=6,
                  markerfacecolor=colour if is_shown else "white")  # fmt: skip
        axes.text(1.01, position, _said(pair), fontsize=SMALL_PT, va="center",
                  transform=axes.get_yaxis_transform())  # fmt: skip
    axes.set_yticks(
        range(len(pairs)), [f"{letters(pair.a)} \N{MINUS SIGN} {letters(pair.b)}" for pair in pairs]
    )
    axes.set_ylim(len(pairs) - 0.4, -0.6)


def _said(pair: Pair) -> str:
    value = f"{pair.difference:+.3f}".replace("0.", ".", 1)
    if pair.p_holm is None:
        return f"{value}, no interval"
    p = "p < .001" if pair.p_holm < 0.001 else f"p {number(pair.p_holm)}"
    return f"{value}, {p}"


def _reading(found: Comparison, pairs: Sequence[Pair]) -> str:
    few = len(pairs) < len(found.pairs)
    which = f"Of {_pairs(len(found.pairs))} those with the best result are drawn. " if few else ""
    return (
        f"{which}Lines are 95 % intervals of {found.options.resamples:,} paired resamples of "
        f"{found.units:,} {found.resampled}s, not corrected, which {LEAVES_OUT}; "
        f"p-values are corrected for {_pairs(len(found.pairs))} by Holm. Filled where a "
        "difference is shown."
    )


def _pairs(count: int) -> str:
    return f"{count} pair{'s' if count > 1 else ''}"


def comparable(subject: Subject) -> list[Result]:
    """Headlines of one task whose predictions are kept."""
    return [r[0] for r in same_task([r for r in whole_results(subject) if _is_kept(subject, r[0])])]


def _best(heads: Sequence[Result]) -> list[Result]:
    """All of them, or the best where there are many."""
    if len(heads) <= _MOST_RESULTS:
        return list(heads)
    sign = 1 if METRICS[heads[0].metric].less_is_better else -1
    return sorted(heads, key=lambda head: sign * np.nan_to_num(head.value))[:_MOST_RESULTS]


def _is_kept(subject: Subject, head: Result) -> bool:
    return subject.bank.predictions_path(head.result).exists()


def _missing(subject: Subject) -> str:
    count = len(comparable(subject))
    return "" if count > 1 else "two results with predictions on one task"


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    every = comparable(subject)
    heads = _best(every)
    found = compare_results(
        CompareOptions(
            results=tuple(head.result for head in heads),
            metric=options.metric,
            threshold=options.threshold,
            seed=options.seed,
            resamples=RESAMPLES,
            bank=subject.bank.root,
        )
    )
    head = heads[0]
    where = f"{head.dataset}, split {head.split_scheme}, {head.split}, N = {found.n:,}"
    few = f" The {len(heads)} best of {len(every)} results." if len(heads) < len(every) else ""
    caption = f"Labels {head.label_set}.{few}"
    return comparison_plot(found, title=f"Comparison: {where}", caption=caption)


SPECS = (
    FigureSpec(
        name="comparison",
        title="Comparison",
        summary="Differences of pairs of results with intervals and corrected p-values",
        needs_store=False,
        missing=_missing,
        draw=_draw,
    ),
)
