"""Samples to look at where nobody names any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from featbank.store.reader import Store

_QUERIES = 6


def example_rows(
    store: Store, *, n: int, seed: int = 0, label_set: str | None = None
) -> dict[str, list[int]]:
    """Rows of at most n samples of each class that has any, by class name.

    Args:
        store: A labelled store.
        n: Samples of each class.
        seed: Of the draw.
        label_set: Nomenclature; None takes the store's default.
    """
    labels, usable = store.labels(label_set), store.usable(label_set)
    rng = np.random.default_rng(seed)
    found = {}
    for code, name in enumerate(store.classes(label_set)):
        bears = labels == code if labels.ndim == 1 else labels[:, code] == 1
        rows = np.flatnonzero(bears & usable)
        if len(rows):
            found[name] = sorted(rng.choice(rows, min(n, len(rows)), replace=False).tolist())
    return found


def query_ids(store: Store, *, seed: int = 0, label_set: str | None = None) -> list[str]:
    """One sample of each of at most six classes, or of six samples where there are no labels.

    Args:
        store: Any store.
        seed: Of the draw of classes and samples.
        label_set: Nomenclature; None takes the store's default.
    """
    rng = np.random.default_rng(seed)
    rows = np.array([], dtype=np.intp)
    if store.label_sets:
        of_class = example_rows(store, n=1, seed=seed, label_set=label_set).values()
        rows = rng.permutation(list(dict.fromkeys(row for some in of_class for row in some)))
    if not len(rows):
        rows = rng.permutation(np.flatnonzero(store.valid))
    return [str(store.ids[row]) for row in np.sort(rows[:_QUERIES])]
