"""Which labels go together: the phi coefficient, and how often one comes with another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.pages.figures.confusion_matrix import short_count
from featbank.pages.figures.drawing.matrix import Matrix, draw_matrix
from featbank.pages.figures.drawing.needs import SEVERAL_LABELS, no_labels
from featbank.pages.figures.drawing.style import DIVERGING, SHARES, counted
from featbank.pages.figures.drawing.wording import title_of_store
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.table_style import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from featbank.image import Array
    from featbank.lookup.subject import Subject

# Where cells are many, weak correlations stand as colours alone.
_MANY, _WEAK = 25, 0.1


def label_correlation(
    labels: Array, classes: Sequence[str], *, title: str = "", caption: str = ""
) -> Figure:
    """Draw the phi coefficient of each pair of labels.

    Args:
        labels: (N, K) 0 and 1.
        classes: K names.
        title: What stands above.
        caption: What stands below.
    """
    values = phi(labels)
    texts = np.full(values.shape, "", dtype=object)
    least = _WEAK if len(classes) > _MANY else 0.0
    for row, column in np.argwhere(~np.isnan(values)):
        if row != column and abs(values[row, column]) >= least:
            texts[row, column] = number(round(float(values[row, column]), 2))[:-1]
    matrix = Matrix(
        values=values,
        texts=texts,
        names=_names(labels, classes),
        colours=DIVERGING,
        limits=(-1.0, 1.0),
        sides=("label (chips)", "label"),
        scale="phi coefficient",
    )
    return draw_matrix(matrix, title=title, caption=caption)


def label_cooccurrence(
    labels: Array, classes: Sequence[str], *, title: str = "", caption: str = ""
) -> Figure:
    """Draw how often chips of the row's label bear the column's too.

    Args:
        labels: (N, K) 0 and 1.
        classes: K names.
        title: What stands above.
        caption: What stands below.
    """
    counts, shares = cooccurrence(labels)
    texts = np.full(counts.shape, "", dtype=object)
    for row, column in np.argwhere(counts > 0):
        texts[row, column] = short_count(counts[row, column])
    matrix = Matrix(
        values=shares,
        texts=texts,
        names=_names(labels, classes),
        colours=SHARES,
        limits=(0.0, 1.0),
        sides=("given label (chips)", "label beside it"),
        scale="share of the row's chips: P(column | row)",
    )
    return draw_matrix(matrix, title=title, caption=caption)


def phi(labels: Array) -> Array:
    """Phi coefficient (K, K) of labels (N, K): Pearson's correlation of 0 and 1.

    NaN where a label is borne by all samples or by none.

    References:
        Yule 1912, doi:10.2307/2340126.
    """
    centred = labels - labels.mean(axis=0) if len(labels) else labels.astype(float)
    spread = np.sqrt((centred**2).sum(axis=0))
    spread = np.where(spread > 0, spread, np.nan)
    found: Array = np.clip(centred.T @ centred / np.outer(spread, spread), -1, 1)
    return found


def cooccurrence(labels: Array) -> tuple[Array, Array]:
    """Chips (K, K) that bear both labels, and their share of those that bear the row's."""
    wide = labels.astype(np.float64)
    counts = wide.T @ wide
    borne = np.diagonal(counts)[:, None]
    return counts, counts / np.where(borne > 0, borne, np.nan)


def _names(labels: Array, classes: Sequence[str]) -> list[str]:
    borne = labels.sum(axis=0, dtype=np.int64)
    return [counted(name, n) for name, n in zip(classes, borne, strict=True)]


def _train_labels(subject: Subject) -> tuple[Array, str]:
    """Labels of the training samples, or of all where there are none."""
    store = subject.store
    usable = store.usable(subject.label_set)
    train = usable & (store.split(subject.split_scheme) == "train")
    labels = store.labels(subject.label_set)
    return (labels[train], "train") if train.any() else (labels[usable], "all")


def _missing(subject: Subject) -> str:
    lacking = no_labels(subject)
    if lacking:
        return lacking
    return "" if subject.store.labels(subject.label_set).ndim == 2 else SEVERAL_LABELS


def _draw_phi(subject: Subject, options: FigureOptions) -> Figure:
    labels, split = _train_labels(subject)
    classes = subject.store.classes(subject.label_set)
    title = title_of_store(f"Correlation of labels, {split}", subject, len(labels))
    name = subject.store.label_set_name(subject.label_set)
    weak = f" Numbers are left out below {number(_WEAK)[:2]}." if len(classes) > _MANY else ""
    caption = f"Labels {name}. Grey: a label that no chip or every chip bears.{weak}"
    return label_correlation(labels, classes, title=title, caption=caption)


def _draw_cooccurrence(subject: Subject, options: FigureOptions) -> Figure:
    labels, split = _train_labels(subject)
    title = title_of_store(f"Labels side by side, {split}", subject, len(labels))
    name = subject.store.label_set_name(subject.label_set)
    caption = (
        f"Labels {name}. Numbers are chips that bear both labels; on the diagonal, all that bear "
        "it. Grey: a label that no chip bears."
    )
    classes = subject.store.classes(subject.label_set)
    return label_cooccurrence(labels, classes, title=title, caption=caption)


SPECS = (
    FigureSpec(
        name="label-correlation",
        title="Correlation of labels",
        summary="Phi coefficient of each pair of labels, in train, or in all where none is train",
        missing=_missing,
        draw=_draw_phi,
    ),
    FigureSpec(
        name="label-cooccurrence",
        title="Labels side by side",
        summary="How often chips of one label bear another: counts, and shares of the row",
        missing=_missing,
        draw=_draw_cooccurrence,
    ),
)
