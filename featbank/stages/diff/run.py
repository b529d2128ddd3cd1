"""Why two stores differ, and how far their features are apart on the samples in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import StoreError, UsageError
from featbank.features.pairing import Pairing, nothing_joins, pair
from featbank.stages.diff.records import FeatureDistance, SampleOverlap
from featbank.stages.diff.similarity import linear_cka, neighbour_overlap, row_distance
from featbank.stages.diff.store_diff import StoreDiff
from featbank.stages.diff.store_difference import (
    labelled_differently,
    made_differently,
    run_differently,
)
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray


def diff_stores(
    first: Path,
    second: Path,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> StoreDiff:
    """Compare two stores on the samples that both hold, joined on sample id or else on pair id.

    Args:
        first: Path of a finished store.
        second: Path of another.
        seed: Seed of the 5,000 samples whose neighbours are compared where there are more.
        progress: Takes counts of features compared and of all.

    Raises:
        UsageError: Both paths name one store.
        UnfinishedStoreError: An embedding has not finished.
        MissingPathError: There is no store at a path.
        StoreError: No sample is in both, or none is valid in both.
    """
    if first.resolve() == second.resolve():
        raise UsageError(str(first), "both names are of one store", "two stores", "Name another.")
    stores = Store(first), Store(second)
    rows = pair(*stores)
    if not len(rows.first):
        raise nothing_joins(*stores)
    samples = _samples(*stores, rows)
    if not samples.valid:
        raise StoreError(
            f"{first.name} and {second.name}",
            f"none of the {samples.both:,} samples in both is valid in both",
            "samples that both embedded",
            "See what was refused with 'featbank show'.",
        )
    return StoreDiff(
        first=str(first),
        second=str(second),
        recipe=made_differently(*stores),
        labels=labelled_differently(*stores, rows),
        environment=run_differently(*stores),
        samples=samples,
        features=tuple(_features(*stores, rows, seed=seed, progress=progress)),
    )


def _samples(first: Store, second: Store, rows: Pairing) -> SampleOverlap:
    ours, theirs = first.valid[rows.first], second.valid[rows.second]
    return SampleOverlap(
        by=rows.by,
        both=len(rows.first),
        valid=int((ours & theirs).sum()),
        first_only=len(first) - len(rows.first),
        second_only=len(second) - len(rows.second),
        refused_first=int((~ours & theirs).sum()),
        refused_second=int((ours & ~theirs).sum()),
    )


@dataclass(frozen=True)
class _View:
    """One feature of one layer of one store."""

    store: Store
    feature: str
    layer: int


def _features(
    first: Store,
    second: Store,
    rows: Pairing,
    *,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> Iterator[FeatureDistance]:
    is_valid = first.valid[rows.first] & second.valid[rows.second]
    kept = rows.first[is_valid], rows.second[is_valid]
    views = list(_views(first, second))
    for done, view in enumerate(views, start=1):
        yield _distance(view, kept, seed)
        if progress is not None:
            progress(done, len(views))


def _views(first: Store, second: Store) -> Iterator[tuple[_View, _View]]:
    """Features and layers in both; where there is none, the default of each."""
    names = [name for name in first.feature_names if name in second.feature_names]
    layers = [layer for layer in first.layers if layer in second.layers]
    if names and layers:
        for name in names:
            for layer in layers:
                yield _View(first, name, layer), _View(second, name, layer)
        return
    ours, theirs = (
        _View(store, names[0] if names else store.attributes["default_feature"], store.layers[-1])
        for store in (first, second)
    )
    yield ours, theirs


def _distance(
    views: tuple[_View, _View], rows: tuple[NDArray[np.intp], NDArray[np.intp]], seed: int
) -> FeatureDistance:
    ours, theirs = (
        view.store.features(view.feature, layer=view.layer)[kept]
        for view, kept in zip(views, rows, strict=True)
    )
    overlap, neighbours = neighbour_overlap(ours, theirs, seed=seed)
    is_same = views[0].feature == views[1].feature and views[0].layer == views[1].layer
    found = row_distance(ours, theirs) if is_same and ours.shape == theirs.shape else None
    lowest = None if found is None else str(views[0].store.ids[rows[0][found.lowest_row]])
    return FeatureDistance(
        feature="|".join(dict.fromkeys(view.feature for view in views)),
        layer="|".join(dict.fromkeys(str(view.layer) for view in views)),
        dims=(ours.shape[1], theirs.shape[1]),
        is_equal=bool(found is not None and np.array_equal(ours, theirs)),
        max_abs=None if found is None else found.max_abs,
        mean_cosine=None if found is None else found.mean_cosine,
        lowest_cosine=None if found is None else found.lowest_cosine,
        lowest_sample=lowest,
        cka=linear_cka(ours, theirs),
        overlap=overlap,
        neighbours=neighbours,
    )
