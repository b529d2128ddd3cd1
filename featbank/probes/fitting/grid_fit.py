"""Fitting many classifiers on one set of samples: read once, group by group, given in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from featbank.probes.fitting.labelled_classifier import LabelledClassifier

C = TypeVar("C", bound="LabelledClassifier")

# What scikit-learn and ``LabelledClassifier._read`` note of the samples.
_READ = ("classes_", "multilabel_", "n_features_in_", "feature_names_in_")


def share_reading(reader: LabelledClassifier, others: Sequence[LabelledClassifier]) -> None:
    """Give others what a classifier noted when it read the samples that all are fitted on."""
    noted = {name: value for name, value in vars(reader).items() if name in _READ}
    for other in others:
        for name, value in noted.items():
            setattr(other, name, value)


def grouped(keys: Sequence[Hashable], sizes: Sequence[int], *, bound: int) -> list[list[int]]:
    """Positions of equal key together, in parts whose sizes sum to at most ``bound``.

    What is larger than the bound stands alone.
    """
    groups: list[list[int]] = []
    last: dict[Hashable, list[int]] = {}
    filled: dict[Hashable, int] = {}
    for i, (key, size) in enumerate(zip(keys, sizes, strict=True)):
        if key not in last or filled[key] + size > bound:
            last[key], filled[key] = [], 0
            groups.append(last[key])
        last[key].append(i)
        filled[key] += size
    return groups


def fitted_in_order(
    classifiers: Sequence[C], groups: Sequence[Sequence[int]], fit: Callable[[list[C]], None]
) -> Iterator[C]:
    """Classifiers in order; a group is fitted when the first of its members is asked for.

    Args:
        classifiers: Unfitted.
        groups: Which of them are fitted together; each stands in one group.
        fit: Fits a group.
    """
    group_of = {i: group for group in groups for i in group}
    waiting = dict(enumerate(classifiers))
    fitted: set[int] = set()
    for i in range(len(classifiers)):
        if i not in fitted:
            fit([waiting[member] for member in group_of[i]])
            fitted.update(group_of[i])
        yield waiting.pop(i)
