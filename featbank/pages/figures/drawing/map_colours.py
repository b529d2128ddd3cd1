"""What the samples of a map are told apart by, and the colour and marker of each group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex

from featbank.catalog import suggest
from featbank.errors import UnknownNameError, UsageError
from featbank.pages.figures.drawing.style import COLOURS, MARKERS, SEQUENTIAL, class_mark
from featbank.samples import UNKNOWN_LABEL
from featbank.stages.map.purity import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featbank.bank.maps import FeatureMap
    from featbank.bank.results import Predictions
    from featbank.image import Array
    from featbank.store.reader import Store

CLASS, LABELS, SPLIT, ERROR = "class", "labels", "split", "error"
NOTHING = -1
# Groups that colours and markers tell apart; the least frequent of more become "others".
_MOST = len(COLOURS) * len(MARKERS)
_MANY_LABELS = 8
_DECISION = 0.5
_BLUE, _VERMILION = COLOURS[0], COLOURS[5]


@dataclass(frozen=True, kw_only=True)
class MapColouring:
    """Groups of samples.

    Attributes:
        title: What they are told apart by.
        names: Names of the G groups.
        codes: (n,) group of each sample, ``NOTHING`` for none.
        marks: Colour and marker of each group.
        rest: What samples of no group are.
    """

    title: str
    names: tuple[str, ...]
    codes: NDArray[np.intp]
    marks: tuple[tuple[str, str], ...]
    rest: str = "unknown"

    @property
    def counts(self) -> NDArray[np.intp]:
        """(G,) samples of each group."""
        return np.bincount(self.codes[self.codes != NOTHING], minlength=len(self.names))


def colouring(
    found: FeatureMap,
    store: Store,
    *,
    by: str | None,
    label_set: str | None,
    predictions: Predictions | None,
) -> MapColouring:
    """Groups of a map's samples; arguments as of ``feature_map``.

    Raises:
        UnknownNameError: No such column or class.
        UsageError: ``error`` without predictions, or ``class`` of several labels a sample.
    """
    rows = rows_of(found, store)
    if by == ERROR:
        return _errors(found, predictions)
    if by is None:
        by = _usual(store, label_set)
    if by in (CLASS, LABELS):
        name = store.label_set_name(label_set)
        labels = store.labels(name)[rows]
        if labels.ndim == 1:
            return _classes(name, store.classes(name), labels)
        if by == CLASS:
            raise UsageError(
                "--by class",
                f"a chip may bear several labels of '{name}'",
                "'labels', or the name of one class",
                "Name one of them.",
            )
        return _label_counts(name, labels)
    column = SPLIT if by == SPLIT else by
    if column == SPLIT:
        return _values("split", store.split()[rows])
    return _named(store, by, rows, label_set)


def _usual(store: Store, label_set: str | None) -> str:
    if not store.label_sets:
        return SPLIT
    return CLASS if store.labels(label_set).ndim == 1 else LABELS


def _named(store: Store, by: str, rows: Array, label_set: str | None) -> MapColouring:
    columns = store.column_names
    if by in columns or f"meta_{by}" in columns or by.removeprefix("meta_") in columns:
        return _values(by, store.column(by)[rows])
    classes = store.classes(label_set) if store.label_sets else ()
    if by not in classes:
        known = (CLASS, LABELS, SPLIT, ERROR, *columns, *classes)
        few = ", ".join(known[:16]) + (", …" if len(known) > 16 else "")
        raise UnknownNameError(
            by, "neither a column nor a class has this name", f"one of {few}", suggest(by, known)
        )
    return one_against_rest(by, borne(store.labels(label_set)[rows], classes.index(by)))


def one_against_rest(name: str, bears: NDArray[np.bool_]) -> MapColouring:
    """One class in colour on all others.

    Args:
        name: The class.
        bears: (n,) whether a sample bears it.
    """
    codes = np.where(bears, 0, NOTHING)
    return MapColouring(
        title="", names=(name,), codes=codes, marks=((_VERMILION, "o"),), rest="all others"
    )


def borne(labels: Array, position: int) -> NDArray[np.bool_]:
    """(n,) whether a sample bears the class at a position."""
    return np.asarray(labels == position if labels.ndim == 1 else labels[:, position] == 1)


def _classes(name: str, classes: tuple[str, ...], labels: Array) -> MapColouring:
    named = np.array([*classes, ""], dtype=object)[labels]
    if len(classes) > _MOST:
        return _values(name, named)
    marks = tuple(class_mark(position) for position in range(len(classes)))
    codes = labels.astype(np.intp)
    return MapColouring(title=name, names=classes, codes=codes, marks=marks, rest="unlabelled")


def _label_counts(name: str, labels: Array) -> MapColouring:
    is_known = (labels != UNKNOWN_LABEL).all(axis=1)
    counts = np.minimum((labels == 1).sum(axis=1), _MANY_LABELS)
    most = int(counts[is_known].max(initial=0))
    names = [f"{i} label{'' if i == 1 else 's'}" for i in range(most + 1)]
    if most == _MANY_LABELS:
        names[-1] = f"{most} labels or more"
    return MapColouring(
        title=name,
        names=tuple(names),
        codes=np.where(is_known, counts, NOTHING),
        marks=_ordered_marks(len(names)),
        rest="unlabelled",
    )


def _ordered_marks(count: int) -> tuple[tuple[str, str], ...]:
    """Colours from dark to light for what has an order."""
    colours = mpl.colormaps[SEQUENTIAL](np.linspace(0, 0.95, count))
    return tuple((to_hex(colour), "o") for colour in colours)


def _errors(found: FeatureMap, predictions: Predictions | None) -> MapColouring:
    if predictions is None:
        raise UsageError(
            "--by error",
            "no predictions are given",
            "a result whose predictions stand in the bank",
            "Name a result of 'featbank probe'.",
        )
    if predictions.truth.ndim == 1:
        is_right = predictions.predicted == predictions.truth
    else:
        is_right = ((predictions.scores >= _DECISION) == (predictions.truth == 1)).all(axis=1)
    told = dict(zip(map(str, predictions.ids), np.where(is_right, 0, 1).tolist(), strict=True))
    codes = np.array([told.get(str(sample), NOTHING) for sample in found.ids], dtype=np.intp)
    names = ("right", "wrong") if predictions.truth.ndim == 1 else ("all labels right", "not all")
    return MapColouring(
        title=f"prediction ({predictions.split})",
        names=names,
        codes=codes,
        marks=((_BLUE, "o"), (_VERMILION, "X")),
        rest="not scored",
    )


def _values(title: str, values: Sequence[str] | Array) -> MapColouring:
    """Groups of equal text, in order of the text; of more than 49 the most frequent."""
    texts, counts = np.unique(np.asarray(values, dtype=object).astype(str), return_counts=True)
    known = texts != ""
    # The most frequent first; of equals the first by name.
    order = np.lexsort([texts, -counts])
    kept = order[known[order]][:_MOST]
    names = tuple(sorted(str(text) for text in texts[kept]))
    code_of = {name: code for code, name in enumerate(names)}
    codes = np.array([code_of.get(str(value), NOTHING) for value in values], dtype=np.intp)
    return MapColouring(
        title=title,
        names=names,
        codes=codes,
        marks=tuple(class_mark(code) for code in range(len(names))),
        rest="unknown" if len(kept) == known.sum() else "others",
    )
