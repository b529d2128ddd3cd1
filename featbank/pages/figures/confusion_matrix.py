"""Confusion matrix of samples of one class each: truth in rows, decisions in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.metrics.scoring.confusion import confusion_matrix as count_confusions
from featbank.pages.figures.drawing.matrix import Matrix, draw_matrix
from featbank.pages.figures.drawing.needs import ONE_CLASS, drawn_predictions, no_predictions
from featbank.pages.figures.drawing.needs import first_predictions as first
from featbank.pages.figures.drawing.style import SHARES, counted
from featbank.pages.figures.drawing.wording import caption_of, title_of
from featbank.pages.figures.figure import FigureOptions, FigureSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from featbank.bank.results import Predictions
    from featbank.image import Array
    from featbank.lookup.subject import Subject

# Cells of more classes are too small for a share above the count.
_WITH_SHARES = 12
_READING = (
    "Colours are shares of each true class (rows add up to 100 %); numbers are samples. "
    "A class without samples is grey."
)


def confusion_matrix(predictions: Predictions, *, title: str = "", caption: str = "") -> Figure:
    """Draw how often each class is taken for which.

    Args:
        predictions: Of samples of one class each.
        title: What stands above.
        caption: What stands below, before how to read it.

    Returns:
        A matrix whose row i and column j hold the samples of class i that are taken for class j.
    """
    counts, shares = confusion_shares(predictions)
    with_shares = len(predictions.classes) <= _WITH_SHARES
    matrix = Matrix(
        values=shares,
        texts=_texts(counts, shares, with_shares=with_shares),
        names=[
            counted(name, n)
            for name, n in zip(predictions.classes, counts.sum(axis=1), strict=True)
        ],
        colours=SHARES,
        limits=(0.0, 1.0),
        sides=("true class (samples)", "predicted class"),
        scale="share of the true class",
    )
    return draw_matrix(matrix, title=title, caption=f"{caption} {_READING}".strip())


def confusion_shares(predictions: Predictions) -> tuple[Array, Array]:
    """Counts (K, K), truth in rows, and their share of each row; NaN of a class without samples."""
    counts = count_confusions(
        predictions.truth, predictions.predicted, n_classes=len(predictions.classes)
    )
    totals = counts.sum(axis=1, keepdims=True)
    return counts, counts / np.where(totals > 0, totals, np.nan)


def _texts(counts: Array, shares: Array, *, with_shares: bool) -> Array:
    texts = np.full(counts.shape, "", dtype=object)
    for row, column in np.argwhere(counts > 0):
        text = short_count(counts[row, column])
        if with_shares:
            text = f"{100 * shares[row, column]:.0f} %\n{text}"
        texts[row, column] = text
    return texts


def short_count(count: float) -> str:
    """A count in at most four characters.

    Example:
        >>> short_count(950), short_count(12_345), short_count(2_500_000)
        ('950', '12k', '2.5M')
    """
    if count < 10_000:
        return f"{count:.0f}"
    return f"{count / 1e3:.0f}k" if count < 999_500 else f"{count / 1e6:.1f}M"


def _missing(subject: Subject) -> str:
    lacking = no_predictions(subject)
    said = first(subject)
    return lacking or ("" if said is not None and said.truth.ndim == 1 else ONE_CLASS)


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    head, said = drawn_predictions(subject)
    title = title_of("Confusion matrix", head, len(said.ids))
    return confusion_matrix(said, title=title, caption=caption_of([head]))


SPECS = (
    FigureSpec(
        name="confusion-matrix",
        title="Confusion matrix",
        summary="Which class is taken for which: samples, and shares of each true class",
        per_result=True,
        needs_store=False,
        missing=_missing,
        draw=_draw,
    ),
)
