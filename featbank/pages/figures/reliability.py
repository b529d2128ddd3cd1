"""Reliability diagram: how often decisions of a given confidence are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.scoring.calibration import are_probabilities
from featbank.metrics.scoring.calibration import reliability as reliability_of
from featbank.pages.figures.drawing.needs import drawn_predictions, no_predictions
from featbank.pages.figures.drawing.needs import first_predictions as first
from featbank.pages.figures.drawing.style import (
    COLOURS,
    GREY,
    SMALL_PT,
    TEXT_PT,
    bare,
    headed,
    new_figure,
)
from featbank.pages.figures.drawing.wording import caption_of, title_of
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.table_style import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featbank.bank.results import Predictions
    from featbank.lookup.subject import Subject
    from featbank.metrics.scoring.calibration import Reliability

# Counts that differ more than this are told by a log axis.
_WIDE = 50


def reliability_diagram(predictions: Predictions, *, title: str = "", caption: str = "") -> Figure:
    """Draw accuracy by confidence, the gaps to calibration, and decisions a bin.

    Args:
        predictions: Whose scores are probabilities; several labels are pooled.
        title: What stands above.
        caption: What stands below, before how to read it.

    References:
        DeGroot and Fienberg 1983, doi:10.2307/2987588; Guo et al. 2017, arXiv:1706.04599, figure 4.
    """
    bins = reliability_of(predictions.truth, predictions.scores)
    figure = new_figure(5.6, 6.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    is_multilabel = predictions.truth.ndim == 2
    _gaps(upper, bins, "share that holds" if is_multilabel else "accuracy")
    _counts(lower, bins)
    what = "probability of a label" if is_multilabel else "confidence of the decision"
    lower.set_xlabel(what, fontsize=TEXT_PT)
    headed(figure, title, f"{caption} {_reading(bins)}".strip())
    return figure


def _gaps(axes: Axes, bins: Reliability, name: str) -> None:
    bare(axes, grid="y")
    filled = bins.count > 0
    left, width = bins.edges[:-1][filled], np.diff(bins.edges)[filled]
    accuracy, confidence = bins.accuracy[filled], bins.confidence[filled]
    axes.bar(left, accuracy, width, align="edge", color=COLOURS[0], edgecolor="white", label=name)
    axes.bar(
        left,
        confidence - accuracy,
        width,
        bottom=accuracy,
        align="edge",
        facecolor="none",
        edgecolor=COLOURS[5],
        hatch="////",
        linewidth=0.8,
        label="gap to the mean confidence",
    )
    axes.plot([0, 1], [0, 1], linestyle="--", color=GREY, linewidth=1, label="calibrated")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_ylabel(name, fontsize=TEXT_PT)
    axes.legend(fontsize=SMALL_PT, edgecolor="none", framealpha=0.9, loc="upper left")


def _counts(axes: Axes, bins: Reliability) -> None:
    bare(axes, grid="y")
    axes.bar(bins.edges[:-1], bins.count, np.diff(bins.edges), align="edge", color="#9a9a9a",
             edgecolor="white")  # fmt: skip
    filled = bins.count[bins.count > 0]
    if filled.size and filled.max() > _WIDE * filled.min():
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7)
    axes.set_ylabel("decisions", fontsize=TEXT_PT)


def _reading(bins: Reliability) -> str:
    error = number(bins.error)
    total = int(bins.count.sum())
    return (
        f"{total:,} decisions in {len(bins.count)} bins of equal width; ECE {error}, where a "
        "confidence of exactly 1 is a bin of its own."
    )


def _missing(subject: Subject) -> str:
    lacking = no_predictions(subject)
    said = first(subject)
    if lacking or said is None:
        return lacking
    fine = are_probabilities(said.scores, exclusive=said.truth.ndim == 1)
    return "" if fine else "scores that are probabilities"


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    head, said = drawn_predictions(subject)
    title = title_of("Reliability", head, len(said.ids))
    return reliability_diagram(said, title=title, caption=caption_of([head]))


SPECS = (
    FigureSpec(
        name="reliability",
        title="Reliability diagram",
        summary="How often decisions of a given confidence are right, with decisions a bin",
        per_result=True,
        needs_store=False,
        missing=_missing,
        draw=_draw,
    ),
)
