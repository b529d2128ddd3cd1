"""Whether two stores say the same of the samples that both hold: labels and splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import StoreError
from featbank.samples import UNKNOWN_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featbank.features.pairing import Pairing
    from featbank.image import Array
    from featbank.store.reader import Store


def require_same_labels(first: Store, second: Store, rows: Pairing, label_set: str) -> None:
    """Raise where two stores name other classes, or give a sample other labels.

    Where one of them does not know a sample's labels, they do not disagree.

    Raises:
        StoreError: Names the first class or sample.
    """
    classes = first.classes(label_set), second.classes(label_set)
    if classes[0] != classes[1]:
        ours, theirs = _first_difference(*classes)
        what = f"the classes of label set '{label_set}' differ, first {ours} and {theirs}"
        raise _disagreement(first, second, what)
    codes = first.labels(label_set)[rows.first], second.labels(label_set)[rows.second]
    differs = differing_labels(*codes)
    if differs.any():
        row = int(np.argmax(differs))
        words = [code_in_words(column[row], classes[0]) for column in codes]
        what = f"label set '{label_set}' gives sample '{first.ids[rows.first[row]]}'"
        raise _disagreement(first, second, _told(what, words, differs))


def require_same_splits(first: Store, second: Store, rows: Pairing, scheme: str) -> None:
    """Raise where two stores put a sample into other splits.

    Raises:
        StoreError: Names the first sample.
    """
    splits = first.split(scheme)[rows.first], second.split(scheme)[rows.second]
    differs = splits[0] != splits[1]
    if differs.any():
        row = int(np.argmax(differs))
        what = f"split scheme '{scheme}' gives sample '{first.ids[rows.first[row]]}'"
        raise _disagreement(first, second, _told(what, [s[row] for s in splits], differs))


def differing_labels(ours: Array, theirs: Array) -> NDArray[np.bool_]:
    """(n,) whether two label columns of the same classes differ where both are known."""
    is_known = is_labelled(ours) & is_labelled(theirs)
    return np.asarray(is_known & (ours != theirs).reshape(len(ours), -1).any(axis=1))


def is_labelled(codes: Array) -> NDArray[np.bool_]:
    """(n,) whether the labels of a row are known."""
    return np.asarray((codes != UNKNOWN_LABEL).reshape(len(codes), -1).all(axis=1))


def code_in_words(code: Array, classes: Sequence[str]) -> str:
    """What one sample's labels say: a class index, or (K,) 0 and 1."""
    if not code.ndim:
        return f"'{classes[int(code)]}'"
    borne = [name for name, mark in zip(classes, code, strict=True) if mark == 1]
    return f"'{', '.join(borne)}'" if borne else "no label"


def _told(what: str, words: Sequence[str], differs: NDArray[np.bool_]) -> str:
    count = int(differs.sum())
    others = f" ({count:,} samples differ)" if count > 1 else ""
    return f"{what} {words[0]} in one and {words[1]} in the other{others}"


def _first_difference(ours: Sequence[str], theirs: Sequence[str]) -> tuple[str, str]:
    length = max(len(ours), len(theirs))
    padded = [[*(f"'{n}'" for n in names), *["none"] * length][:length] for names in (ours, theirs)]
    return next((own, other) for own, other in zip(*padded, strict=True) if own != other)


def _disagreement(first: Store, second: Store, what: str) -> StoreError:
    return StoreError(
        f"{first.path.name} and {second.path.name}",
        what,
        "labels and splits that agree on the samples in both",
        "Embed both with the same labels and split lists, or choose others with --labels or "
        "--split-scheme.",
    )
