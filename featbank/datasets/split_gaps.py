"""What a split scheme lacks: empty splits, classes without train, validation or test samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.samples import SPLITS, TEST, TRAIN, VAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from featbank.samples import LabelSet, Samples

_PARTS = len(SPLITS) - 1
# Class names that a sentence lists.
_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """What one scheme lacks for one label set.

    Attributes:
        empty: Splits without a sample.
        untrained: Names of classes that have samples, but none in train.
        untested: The same of test.
        unvalidated: Names of classes that have train and test samples, but none in a validation
            split that others stand in: settings are chosen without them.
    """

    empty: tuple[str, ...] = ()
    untrained: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    unvalidated: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.empty or self.untrained or self.untested or self.unvalidated)

    def sentence(self) -> str:
        """All of it in words; '' where nothing is lacking."""
        told = [f"no {' and no '.join(self.empty)} sample"] if self.empty else []
        told += [f"no train sample of {listed(self.untrained)}"] if self.untrained else []
        told += [f"no test sample of {listed(self.untested)}"] if self.untested else []
        told += [f"no val sample of {listed(self.unvalidated)}"] if self.unvalidated else []
        return "; ".join(told)


def class_counts(codes: NDArray[Any], split: NDArray[Any], n_classes: int) -> NDArray[np.int64]:
    """(3, K) samples of each class in train, val and test.

    Args:
        codes: (N,) class indices, -1 unknown, or (N, K) 0 and 1, rows of -1 unknown.
        split: (N,) codes into ``SPLITS``.
        n_classes: K.
    """
    if codes.ndim == 2:
        parts = [(codes[split == part] == 1).sum(axis=0) for part in range(_PARTS)]
    else:
        known = codes >= 0
        parts = [
            np.bincount(codes[known & (split == part)], minlength=n_classes)
            for part in range(_PARTS)
        ]
    return np.array(parts, dtype=np.int64).reshape(_PARTS, n_classes)


def split_gaps(codes: NDArray[Any], split: NDArray[Any], classes: Sequence[str]) -> Gaps:
    """What a scheme lacks for one label set.

    Args:
        codes: As in ``class_counts``, of the samples that count.
        split: (N,) codes into ``SPLITS``.
        classes: K names.
    """
    counts = class_counts(codes, split, len(classes))
    labelled = (codes >= 0) if codes.ndim == 1 else (codes >= 0).all(axis=1)
    present = counts.sum(axis=0) > 0
    empty = [part for part in range(_PARTS) if not (labelled & (split == part)).any()]
    is_used = (counts[TRAIN] > 0) & (counts[TEST] > 0) & (VAL not in empty)
    return Gaps(
        empty=tuple(SPLITS[part] for part in empty),
        untrained=_named(classes, present & (counts[TRAIN] == 0)),
        untested=_named(classes, present & (counts[TEST] == 0)),
        unvalidated=_named(classes, is_used & (counts[VAL] == 0)),
    )


def gaps_of(samples: Samples, scheme: str, label_set: str) -> Gaps:
    """What one scheme of a dataset lacks; samples that the dataset leaves out do not count."""
    labels: LabelSet = samples.labels[label_set]
    kept = slice(None) if samples.exclude is None else samples.exclude == ""
    return split_gaps(labels.codes[kept], samples.splits[scheme][kept], labels.classes)


def gap_notes(gaps: Mapping[str, Gaps]) -> Iterator[str]:
    """A sentence for each scheme that lacks something, schemes that lack the same in one.

    Args:
        gaps: Gaps by scheme.
    """
    alike: dict[str, list[str]] = {}
    for scheme, found in gaps.items():
        if found:
            alike.setdefault(found.sentence(), []).append(scheme)
    for sentence, schemes in alike.items():
        yield f"split {in_a_row(schemes)}: {sentence}"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, of many the first few."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def in_a_row(schemes: Sequence[str]) -> str:
    """Names of schemes in a sentence; of three or more that differ by their seed, both ends.

    Example:
        >>> in_a_row(("group-0", "group-1", "group-2")), in_a_row(("group-0", "stratified-1"))
        ('group-0 to group-2', 'group-0, stratified-1')
    """
    kind, _, seed = schemes[0].rpartition("-")
    if len(schemes) > 2 and seed.isdigit():
        row = [f"{kind}-{int(seed) + step}" for step in range(len(schemes))]
        if row == list(schemes):
            return f"{schemes[0]} to {schemes[-1]}"
    return listed(schemes)


def _named(classes: Sequence[str], which: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(str(classes[k]) for k in np.flatnonzero(which).tolist())
