"""Which classes of two stores' label sets are one: those of the same name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import StoreError
from featbank.samples import UNKNOWN_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.store.reader import Store


@dataclass(frozen=True, kw_only=True)
class ClassMatch:
    """Two label columns in the classes of one label set.

    Attributes:
        classes: K class names, in the order of the train store.
        train: (N1,) or (N1, K) labels of the train store.
        test: (N2,) or (N2, K) labels of the test store; -1 where a sample's class is unmatched.
        is_lost: (N2,) whether a sample of the test store has only a class that train lacks.
        train_only: Classes that only the train store has.
        test_only: Classes that only the test store has.
    """

    classes: tuple[str, ...]
    train: Array
    test: Array
    is_lost: NDArray[np.bool_]
    train_only: tuple[str, ...]
    test_only: tuple[str, ...]


def match_classes(train: Store, test: Store, *, label_set: str, test_set: str) -> ClassMatch:
    """Match the classes of two stores by name.

    With one class a sample, all classes of the train store stay, since a probe may well mistake a
    test chip for one of them. With several labels a sample, only labels of both stores stay.

    Args:
        train: The store that probes are fitted on.
        test: The store that they are scored on.
        label_set: Label set of the train store.
        test_set: Label set of the test store.

    Raises:
        StoreError: One set has one class a sample and the other several labels, or no class is in
            both.
    """
    ours, theirs = train.classes(label_set), test.classes(test_set)
    labels = train.labels(label_set), test.labels(test_set)
    both = tuple(name for name in ours if name in theirs)
    subject = f"label sets '{label_set}' of {train.path.name} and '{test_set}' of {test.path.name}"
    _require_comparable(subject, labels, both, (ours, theirs))
    only = tuple(n for n in ours if n not in both), tuple(n for n in theirs if n not in both)
    if labels[0].ndim == 2:
        columns = (labels[0][:, _places(both, ours)], labels[1][:, _places(both, theirs)])
        lost = np.zeros(len(labels[1]), dtype=bool)
    else:
        # The last entry is where a label of -1 points to.
        codes = [ours.index(name) if name in both else UNKNOWN_LABEL for name in theirs]
        mapped = np.array([*codes, UNKNOWN_LABEL], dtype=labels[1].dtype)[labels[1]]
        lost = (mapped == UNKNOWN_LABEL) & (labels[1] != UNKNOWN_LABEL)
        columns, both = (labels[0], mapped), ours
    return ClassMatch(
        classes=both,
        train=columns[0],
        test=columns[1],
        is_lost=lost,
        train_only=only[0],
        test_only=only[1],
    )


def _places(names: Sequence[str], among: Sequence[str]) -> list[int]:
    return [among.index(name) for name in names]


def _require_comparable(
    subject: str,
    labels: tuple[Array, Array],
    both: Sequence[str],
    classes: tuple[Sequence[str], Sequence[str]],
) -> None:
    if labels[0].ndim != labels[1].ndim:
        raise StoreError(
            subject,
            "one has one class a sample and the other several labels",
            "two label sets of one kind",
            "Choose others with --labels and --test-labels.",
        )
    if not both:
        first, second = (", ".join(names[:4]) + (", …" * (len(names) > 4)) for names in classes)
        raise StoreError(
            subject,
            f"no class is in both ({first} against {second})",
            "classes of the same names",
            "Choose others with --labels and --test-labels.",
        )
