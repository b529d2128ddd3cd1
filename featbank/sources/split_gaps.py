"""Saying what split schemes lack: of a dataset that is embedded, of a store, of a probe's rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.datasets.split_gaps import gap_notes, gaps_of, split_gaps
from featbank.samples import SPLITS, UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from featbank.samples import Samples
    from featbank.store.reader import Store


def embed_notes(samples: Samples, scheme: str) -> tuple[str, ...]:
    """What a scheme lacks for the default label set, and how many others lack something.

    Args:
        samples: The samples that are embedded.
        scheme: The scheme that speaks for all.
    """
    if not samples.labels or (samples.splits[scheme] == UNLABELLED).all():
        return ()
    label_set = next(iter(samples.labels))
    schemes = [name for name in samples.splits if name not in samples.aliases]
    found = {name: gaps_of(samples, name, label_set) for name in schemes}
    others = sum(bool(gaps) for name, gaps in found.items() if name != scheme)
    more = f"{others} other split schemes lack samples too, which 'featbank show' names"
    return (*gap_notes({scheme: found[scheme]}), *([more] if others else []))


def store_gaps(store: Store) -> list[str]:
    """What each scheme of a store lacks for its default label set, a sentence each."""
    if not store.label_sets or not store.split_schemes:
        return []
    label_set = store.label_sets[0]
    labels, usable = store.labels(label_set), store.usable(label_set)
    found = {}
    for scheme in store.split_schemes:
        codes = _codes(store.split(scheme))
        if scheme not in store.scheme_aliases and not (codes == UNLABELLED).all():
            found[scheme] = split_gaps(labels[usable], codes[usable], store.classes(label_set))
    return list(gap_notes(found))


def lacking_classes(
    labels: NDArray[Any], rows: Mapping[str, NDArray[np.intp]], classes: Sequence[str]
) -> str:
    """Classes that a probe's train, validation or test rows lack, in words; '' where they hold all.

    Args:
        labels: (N,) class indices, or (N, K) 0 and 1.
        rows: Rows of ``train``, ``val`` and ``test``.
        classes: K names.
    """
    codes = np.full(len(labels), UNLABELLED, dtype=np.int8)
    for name in ("train", "val", "test"):
        codes[rows[name]] = SPLITS.index(name)
    used = codes != UNLABELLED
    gaps = split_gaps(labels[used], codes[used], classes)
    # Probes without validation samples carve their own from train, and say so.
    return replace(gaps, empty=()).sentence()


def other_schemes(store: Store, scheme: str, label_set: str) -> str:
    """What to do where a scheme cannot be probed: the others that can be, if there are any."""
    usable, labels = store.usable(label_set), store.labels(label_set)
    kept = []
    for name in store.split_schemes:
        if name in store.scheme_aliases or name == scheme:
            continue
        split = store.split(name)
        train = labels[usable & (split == "train")]
        present = train.any(axis=0).sum() if labels.ndim == 2 else len(np.unique(train))
        if present >= (1 if labels.ndim == 2 else 2) and (usable & (split == "test")).any():
            kept.append(name)
    if kept:
        return f"Choose {' or '.join(kept)} with --split-scheme."
    return "No other split scheme has them: choose other labels, or embed more chips."


def schemes_with(samples: Samples, split: int, *, but: str) -> str:
    """What to do where a scheme has none of a split: the others that have some, if there are any.

    Args:
        samples: The dataset.
        split: Code of the split.
        but: The scheme that has none.
    """
    kept = [
        name
        for name, codes in samples.splits.items()
        if name not in samples.aliases and name != but and (codes == split).any()
    ]
    if kept:
        return f"Choose {' or '.join(kept)} with --split-scheme."
    return f"No other split scheme has {SPLITS[split]} samples: take more chips."


def _codes(split: NDArray[np.object_]) -> NDArray[np.int8]:
    names = np.array(SPLITS, dtype=object)
    return np.asarray((split[:, None] == names).argmax(axis=1), dtype=np.int8)
