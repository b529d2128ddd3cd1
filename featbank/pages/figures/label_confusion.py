"""One 2 × 2 confusion matrix for each label, where samples may bear several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.patches import Rectangle

from featbank.errors import UsageError
from featbank.pages.figures.confusion_matrix import short_count
from featbank.pages.figures.drawing.needs import SEVERAL_LABELS, drawn_predictions, no_predictions
from featbank.pages.figures.drawing.needs import first_predictions as first
from featbank.pages.figures.drawing.style import (
    GREY,
    SHARES,
    SMALL_PT,
    counted,
    headed,
    new_figure,
    wrapped,
)
from featbank.pages.figures.drawing.wording import caption_of, title_of
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.table_style import THRESHOLDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featbank.bank.results import Predictions
    from featbank.image import Array
    from featbank.lookup.subject import Subject

_MOST_COLUMNS = 7
_PANEL_WIDTH, _PANEL_HEIGHT = 1.65, 1.95
_TITLE_CHARS, _DARK = 25, 0.55
_READING = (
    "Of each label: samples without it above, with it below; decided no on the left, yes on the "
    "right. Colours and percentages are shares of each row. The number of samples that bear the "
    "label stands beside its name."
)


def label_confusion(
    predictions: Predictions, *, threshold: str = "0.5", title: str = "", caption: str = ""
) -> Figure:
    """Draw right and wrong decisions on each label.

    Args:
        predictions: Of samples that may bear several labels.
        threshold: Which thresholds decide: ``0.5`` or ``tuned-f2``.
        title: What stands above.
        caption: What stands below, before how to read it.

    Raises:
        UsageError: The predictions have no such thresholds.
    """
    cells = label_counts(predictions, threshold)
    count = len(predictions.classes)
    columns = min(count, _MOST_COLUMNS)
    rows = -(-count // columns)
    figure = new_figure(max(_PANEL_WIDTH * columns, 5.0), _PANEL_HEIGHT * rows + 1.2)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, name, cell in zip(panels, predictions.classes, cells, strict=False):
        _panel(axes, name, cell)
    for axes in panels[count:]:
        axes.set_axis_off()
    headed(figure, title, f"{caption} {_READING}".strip())
    return figure


def label_counts(predictions: Predictions, threshold: str) -> Array:
    """Samples (K, 2, 2) by truth (no, yes), then decision (no, yes).

    Raises:
        UsageError: The predictions have no such thresholds.
    """
    if threshold not in predictions.thresholds:
        raise UsageError(
            f"--threshold {threshold}",
            "the predictions have no such thresholds",
            f"one of {', '.join(predictions.thresholds)}",
            "Choose others with --threshold.",
        )
    truth = predictions.truth == 1
    decided = predictions.scores >= predictions.thresholds[threshold]
    sides = [[(truth == t) & (decided == d) for d in (False, True)] for t in (False, True)]
    return np.array([[cell.sum(axis=0) for cell in row] for row in sides]).transpose(2, 0, 1)


def _panel(axes: Axes, name: str, counts: Array) -> None:
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.where(totals > 0, totals, np.nan)
    colours = colormaps[SHARES]
    for row, column in np.ndindex(2, 2):
        share, n = shares[row, column], float(counts[row, column])
        face = "#eeeeee" if np.isnan(share) else colours(share)
        axes.add_patch(Rectangle((column, row), 1, 1, facecolor=face, edgecolor="white"))
        text = short_count(n) if np.isnan(share) else f"{short_count(n)}\n{100 * share:.0f} %"
        ink = GREY if np.isnan(share) else "white" if share > _DARK else "black"
        axes.text(
            column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=SMALL_PT, color=ink
        )
    axes.set(xlim=(0, 2), ylim=(2, 0), aspect="equal")
    axes.set_xticks([0.5, 1.5], ["no", "yes"])
    axes.set_yticks([0.5, 1.5], ["no", "yes"], rotation=90, va="center")
    axes.tick_params(length=0, labelsize=SMALL_PT - 1, pad=1)
    axes.spines[:].set_visible(False)
    axes.set_title(
        wrapped(counted(name, totals[1, 0]), _TITLE_CHARS), fontsize=SMALL_PT - 0.5, va="bottom"
    )


def _missing(subject: Subject) -> str:
    lacking = no_predictions(subject)
    said = first(subject)
    return lacking or ("" if said is not None and said.truth.ndim == 2 else SEVERAL_LABELS)


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    head, said = drawn_predictions(subject)
    what = f"Confusion of each label {THRESHOLDS.get(options.threshold, options.threshold)}"
    title = title_of(what, head, len(said.ids))
    return label_confusion(
        said, threshold=options.threshold, title=title, caption=caption_of([head])
    )


SPECS = (
    FigureSpec(
        name="label-confusion",
        title="Confusion of each label",
        summary="One 2 × 2 matrix a label, decided at 0.5 or at tuned thresholds (--threshold)",
        per_result=True,
        needs_store=False,
        missing=_missing,
        draw=_draw,
    ),
)
