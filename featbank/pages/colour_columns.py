"""What points may be coloured by: classes, splits, any column of the store, right or wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from featbank.catalog import suggest
from featbank.errors import UnknownNameError
from featbank.pages.shades import SHADES
from featbank.samples import SPLITS
from featbank.store.schema import LABEL_PREFIX, PAIR_ID, SPLIT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featbank.bank.results import Predictions
    from featbank.image import Array
    from featbank.store.reader import Store

OUTCOME = "right or wrong"
RIGHT, WRONG, UNSCORED = "right", "wrong", "not scored"
UNKNOWN, OTHERS = "unknown", "all others"
# What is rarer than the first 49 values shares one grey.
_MOST = SHADES


@dataclass(frozen=True, kw_only=True)
class Colouring:
    """Points told apart by one column.

    Attributes:
        names: Values in the order of the legend.
        codes: (n,) uint8 position of each point's value in ``names``.
        is_grey: Whether each value stands for nothing known.
    """

    names: tuple[str, ...]
    codes: NDArray[np.uint8]
    is_grey: tuple[bool, ...]

    @property
    def counts(self) -> list[int]:
        """Points of each value."""
        return [int(n) for n in np.bincount(self.codes, minlength=len(self.names))]


@dataclass(frozen=True)
class ColourColumns:
    """Columns of the samples of a map.

    Args:
        store: Where the columns stand.
        rows: (n,) row in the store of each point.
        predictions: What a probe said of some of them; None colours none by it.
    """

    store: Store
    rows: NDArray[np.intp]
    predictions: Predictions | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Columns that ``colouring`` takes, the most telling first."""
        columns = [name for name in self.store.column_names if name != PAIR_ID]
        labels = [name for name in columns if name.startswith(LABEL_PREFIX)]
        splits = [name for name in columns if name.startswith(SPLIT_PREFIX)]
        others = [name for name in columns if name not in (*labels, *splits)]
        outcome = [] if self.predictions is None else [OUTCOME]
        return (*labels, *outcome, *self._single_labels(), *splits, *others)

    def _single_labels(self) -> list[str]:
        sets = [s for s in self.store.label_sets if f"{LABEL_PREFIX}{s}" not in self._one_class]
        return [f"{LABEL_PREFIX}{s}:{c}" for s in sets for c in self.store.classes(s)]

    @cached_property
    def _one_class(self) -> frozenset[str]:
        return frozenset(n for n in self.store.column_names if n.startswith(LABEL_PREFIX))

    def colouring(self, name: str) -> Colouring:
        """Points told apart by a column.

        Args:
            name: One of ``names``.

        Raises:
            UnknownNameError: No such column.
        """
        if name not in self.names:
            few = ", ".join(self.names[:12])
            raise UnknownNameError(
                name, "points cannot be coloured by it", f"one of {few}", suggest(name, self.names)
            )
        if name == OUTCOME:
            return _told_apart(self._outcome(), (RIGHT, WRONG, UNSCORED))
        if name.startswith(LABEL_PREFIX) and name not in self._one_class:
            return _told_apart(self._bears(name), ("yes", "no"))
        return _told_apart(self.store.column(name)[self.rows], self._order(name))

    def labels_of(self, place: int) -> tuple[str, ...]:
        """Labels of one point in the store's default label set.

        Args:
            place: Position among the points.
        """
        classes, codes = self._labels
        here = codes[place]
        if codes.ndim == 2:
            return tuple(label for label, code in zip(classes, here, strict=True) if code == 1)
        return (classes[int(here)],) if here >= 0 else ()

    @cached_property
    def _labels(self) -> tuple[tuple[str, ...], Array]:
        if not self.store.label_sets:
            return (), np.full(len(self.rows), -1)
        return self.store.classes(), self.store.labels()[self.rows]

    def _order(self, name: str) -> Sequence[str]:
        if name.startswith(SPLIT_PREFIX):
            return SPLITS
        if name.startswith(LABEL_PREFIX):
            return self.store.classes(name.removeprefix(LABEL_PREFIX))
        return ()

    def _bears(self, name: str) -> Array:
        label_set, label = name.removeprefix(LABEL_PREFIX).split(":", 1)
        column = self.store.classes(label_set).index(label)
        codes = self.store.labels(label_set)[self.rows, column]
        words: Array = np.array(["no", "yes", ""], dtype=object)[codes]
        return words

    def _outcome(self) -> Array:
        found = self.predictions
        if found is None:
            return np.full(len(self.rows), UNSCORED, dtype=object)
        if found.truth.ndim == 2:
            is_right = ((found.scores >= 0.5) == (found.truth == 1)).all(axis=1)
        else:
            is_right = found.predicted == found.truth
        said = dict(zip(found.ids.tolist(), is_right.tolist(), strict=True))
        words = {True: RIGHT, False: WRONG, None: UNSCORED}
        ids = self.store.ids[self.rows].tolist()
        return np.array([words[said.get(sample)] for sample in ids], dtype=object)


def _told_apart(values: Array, order: Sequence[str]) -> Colouring:
    """Values present, in the order given, or else the most frequent first."""
    present, inverse, counts = np.unique(
        np.where(values == "", UNKNOWN, values).astype(str),
        return_inverse=True,
        return_counts=True,
    )
    known = {name: place for place, name in enumerate(order)}
    last = len(known)

    def rank(k: int) -> tuple[bool, int, int, str]:
        name = str(present[k])
        return _is_grey(name), known.get(name, last), -int(counts[k]), name

    ranked = sorted(range(len(present)), key=rank)
    kept, rest = ranked[:_MOST], ranked[_MOST:]
    names = [str(present[k]) for k in kept] + ([OTHERS] if rest else [])
    code_of = np.full(len(present), len(kept), dtype=np.uint8)
    code_of[kept] = np.arange(len(kept), dtype=np.uint8)
    return Colouring(
        names=tuple(names),
        codes=code_of[inverse],
        is_grey=tuple(_is_grey(name) for name in names),
    )


def _is_grey(name: str) -> bool:
    return name in (UNKNOWN, OTHERS, UNSCORED, "unlabelled", "no")
