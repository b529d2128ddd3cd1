"""Precision and recall curves of each class and of all decisions pooled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.pages.figures.drawing.needs import drawn_predictions, no_predictions
from featbank.pages.figures.drawing.style import (
    COLOURS,
    TEXT_PT,
    bare,
    beside,
    headed,
    new_figure,
    wrapped,
)
from featbank.pages.figures.drawing.wording import caption_of, title_of
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.table_style import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featbank.bank.results import Predictions
    from featbank.image import Array
    from featbank.lookup.subject import Subject

# More classes than colours are grey but for the best and the worst.
_ALL_NAMED, _ENDS_NAMED = len(COLOURS), 3
_GREY_CURVE = "#bdbdbd"
_NAME_CHARS = 34
# A curve of half a million samples would be no finer on paper, and tens of megabytes as SVG.
_MOST_POINTS = 1_000


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Precision against recall, from the highest threshold to the lowest.

    Attributes:
        recall: (P,) rising, from 0.
        precision: (P,) of the decisions at or above each threshold; the first repeats the second.
        average_precision: Sum of the precisions, each by how much recall rises to it.
        positives: Samples of the class.
    """

    recall: Array
    precision: Array
    average_precision: float
    positives: int


def precision_recall(predictions: Predictions, *, title: str = "", caption: str = "") -> Figure:
    """Draw a curve a class and that of all decisions pooled.

    Args:
        predictions: Of one class a sample, taken one against the rest, or of several labels.
        title: What stands above.
        caption: What stands below, before how to read it.
    """
    truth = one_against_rest(predictions)
    curves = [curve_of(truth[:, k], predictions.scores[:, k]) for k in range(truth.shape[1])]
    pooled = curve_of(truth.ravel(), predictions.scores.ravel())
    figure = new_figure(8.2, 5.6)
    axes = bare(figure.add_subplot(), grid="both")
    if pooled is not None:
        label = f"all pooled (micro)  AP {number(pooled.average_precision)}"
        _line(axes, pooled, color="black", linewidth=2.2, label=label, zorder=4)
    _draw_curves(axes, curves, predictions.classes)
    axes.set(xlim=(0, 1.005), ylim=(0, 1.02), aspect="equal")
    axes.set_xlabel("recall", fontsize=TEXT_PT)
    axes.set_ylabel("precision", fontsize=TEXT_PT)
    beside(axes)
    headed(figure, title, f"{caption} {_reading(curves)}".strip())
    return figure


def one_against_rest(predictions: Predictions) -> Array:
    """Truth (N, K) of 0 and 1."""
    if predictions.truth.ndim == 2:
        return predictions.truth
    truth: Array = predictions.truth[:, None] == np.arange(len(predictions.classes))
    return truth


def curve_of(truth: Array, scores: Array) -> Curve | None:
    """The curve of one class; None where no sample is of it.

    Samples of one score are decided together, so that their order changes nothing.

    Args:
        truth: (N,) 0 and 1.
        scores: (N,) the higher, the surer.
    """
    positives = int(truth.sum())
    if not positives:
        return None
    order = np.argsort(-scores, kind="stable")
    hits, ordered = np.cumsum(truth[order] == 1), scores[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    precision, recall = hits[last] / (last + 1), hits[last] / positives
    average = float((np.diff(recall, prepend=0) * precision).sum())
    return Curve(
        recall=np.concatenate([[0.0], recall]),
        precision=np.concatenate([precision[:1], precision]),
        average_precision=average,
        positives=positives,
    )


def _draw_curves(axes: Axes, curves: Sequence[Curve | None], names: Sequence[str]) -> None:
    present = [(curve, name) for curve, name in zip(curves, names, strict=True) if curve]
    present.sort(key=lambda pair: -pair[0].average_precision)
    ends = len(present) > _ALL_NAMED
    named = present[:_ENDS_NAMED] + present[-_ENDS_NAMED:] if ends else present
    for curve, _ in present[_ENDS_NAMED:-_ENDS_NAMED] if ends else []:
        _line(axes, curve, color=_GREY_CURVE, linewidth=0.7, zorder=1)
    for position, (curve, name) in enumerate(named):
        label = f"{wrapped(name, _NAME_CHARS)}  AP {number(curve.average_precision)}"
        # The worst are dashed, so that a print without colour tells them from the best.
        style = "--" if ends and position >= _ENDS_NAMED else "-"
        colour = COLOURS[position % len(COLOURS)]
        _line(axes, curve, color=colour, linewidth=1.4, linestyle=style, label=label, zorder=3)


def _line(axes: Axes, curve: Curve, **style: object) -> None:
    kept = thinned(len(curve.recall))
    axes.plot(curve.recall[kept], curve.precision[kept], drawstyle="steps-pre", **style)  # type: ignore[arg-type] # properties of lines


def thinned(count: int) -> Array:
    """Positions of at most a thousand points, dense at the first, where curves jump most."""
    if count <= _MOST_POINTS:
        return np.arange(count)
    return np.unique(np.geomspace(1, count, _MOST_POINTS).astype(int) - 1)


def _reading(curves: Sequence[Curve | None]) -> str:
    present = sum(curve is not None for curve in curves)
    parts = ["AP is average precision."]
    if present > _ALL_NAMED:
        parts.append(
            f"Of {present} classes the {_ENDS_NAMED} best and the {_ENDS_NAMED} worst (dashed) "
            "are named, the others are grey."
        )
    if present < len(curves):
        parts.append(f"{len(curves) - present} classes without samples are left out.")
    return " ".join(parts)


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    head, said = drawn_predictions(subject)
    title = title_of("Precision and recall", head, len(said.ids))
    return precision_recall(said, title=title, caption=caption_of([head]))


SPECS = (
    FigureSpec(
        name="precision-recall",
        title="Precision and recall",
        summary="A curve a class and one of all decisions pooled, the best and the worst named",
        per_result=True,
        needs_store=False,
        missing=no_predictions,
        draw=_draw,
    ),
)
