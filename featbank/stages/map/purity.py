"""Whether neighbours bear the same class, in the features and on the map."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.bank.bank import bank_of
from featbank.bank.maps import read_note, write_note
from featbank.knn.space import COSINE, EUCLIDEAN
from featbank.knn.tiles import ArrayTiles
from featbank.samples import UNKNOWN_LABEL
from featbank.sources.selection import hash_order
from featbank.stages.map.faithfulness import NEIGHBOURS, neighbours
from featbank.stages.map.mapped_rows import FeatureChoice, held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featbank.bank.maps import FeatureMap
    from featbank.image import Array
    from featbank.store.reader import Store

# Chips of a class whose neighbours are looked at: their mean share has a standard error of .032 at
# most.
CLASS_QUERIES = 250
# Rows that are held in memory at once: 300 MB at D = 768.
_HELD_ROWS = 100_000
_ALGORITHM = 1


@dataclass(frozen=True, kw_only=True)
class Purity:
    """Class by class, the mean share of a chip's k nearest neighbours that bear the class too.

    Attributes:
        label_set: Nomenclature.
        k: Neighbours that were looked at.
        samples: Labelled samples of the map, among which they were sought.
        classes: K class names.
        chips: How many of the samples bear each class.
        queries: How many of those were looked at.
        chance: Share of all other samples that bear the class: the purity of a map at random.
        in_features: Purity by cosine in the features; None of a class with fewer than two chips.
        on_map: Purity on the map.
    """

    label_set: str
    k: int
    samples: int
    classes: tuple[str, ...]
    chips: tuple[int, ...]
    queries: tuple[int, ...]
    chance: tuple[float | None, ...]
    in_features: tuple[float | None, ...]
    on_map: tuple[float | None, ...]

    @property
    def means(self) -> dict[str, float | None]:
        """Means over the classes that have a purity; None where none has."""
        named = ("in_features", "on_map", "chance")
        return {name: _mean(getattr(self, name)) for name in named}


def _mean(values: tuple[float | None, ...]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def purity(found: FeatureMap, store: Store, label_set: str | None = None) -> Purity:
    """Neighbour purity of each class; what was computed once is read from beside the map.

    Args:
        found: A map.
        store: The store that it shows.
        label_set: Nomenclature; None takes the store's default.

    Raises:
        StoreError: The store holds no labels.
        UnknownNameError: No label set of this name.
    """
    name = store.label_set_name(label_set)
    labels = store.labels(name)
    key = f"purity-{name}-{_fingerprint(found, labels, store.classes(name))}"
    bank = bank_of(store.path)
    kept = read_note(bank, found.id, key)
    if kept is not None:
        return Purity(**_as_tuples(kept))
    measured = _measure(found, store, name, labels)
    write_note(bank, found.id, key, asdict(measured))
    return measured


def rows_of(found: FeatureMap, store: Store) -> NDArray[np.intp]:
    """(n,) row of each sample of a map in its store."""
    row_of = {sample: row for row, sample in enumerate(store.ids.tolist())}
    return np.array([row_of[sample] for sample in found.ids.tolist()], dtype=np.intp)


def _as_tuples(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in kept.items()}


def _measure(found: FeatureMap, store: Store, name: str, labels: Array) -> Purity:
    rows = rows_of(found, store)
    known = labels[rows] != UNKNOWN_LABEL
    kept = known if labels.ndim == 1 else known.all(axis=1)
    borne = _borne(labels[rows[kept]], len(store.classes(name)))
    n, chips = len(borne), borne.sum(axis=0)
    k = min(NEIGHBOURS, n - 1)
    drawn = _drawn(borne, found.ids[kept]) if k >= 1 else [np.empty(0, np.intp)] * len(chips)
    queries = np.unique(np.concatenate([*drawn, np.empty(0, np.intp)]))
    shares = [np.full((0, len(chips)), np.nan)] * 2
    if len(queries):
        choice = FeatureChoice(name=found.recipe["feature"], layer=found.recipe["layer"])
        features = held(choice.tiles(store, rows[kept]), _HELD_ROWS)
        sides = (features, COSINE), (ArrayTiles(found.xy[kept]), EUCLIDEAN)
        near = (neighbours(tiles, queries, k, metric=metric) for tiles, metric in sides)
        # (Q, k) neighbours -> (Q, K) share of them that bear each class
        shares = [_shares(borne, index) for index in near]
    places = [np.searchsorted(queries, each) for each in drawn]
    return Purity(
        label_set=name,
        k=max(k, 0),
        samples=n,
        classes=store.classes(name),
        chips=tuple(chips.tolist()),
        queries=tuple(len(each) for each in drawn),
        chance=tuple((c - 1) / (n - 1) if c > 1 else None for c in chips.tolist()),
        in_features=_means(shares[0], places),
        on_map=_means(shares[1], places),
    )


def _borne(labels: Array, classes: int) -> NDArray[np.bool_]:
    """(n, K) whether a sample bears a class."""
    wanted = 1 if labels.ndim == 2 else np.arange(classes)
    return np.asarray((labels if labels.ndim == 2 else labels[:, None]) == wanted)


def _drawn(borne: NDArray[np.bool_], ids: Array) -> list[NDArray[np.intp]]:
    """Rows of each class that are looked at; of a class with one chip none."""
    order = hash_order(ids)
    by_class = (order[column[order]] for column in borne.T)
    return [np.sort(rows[:CLASS_QUERIES]) if len(rows) > 1 else rows[:0] for rows in by_class]


def _shares(borne: NDArray[np.bool_], index: Array) -> NDArray[np.float64]:
    total = np.zeros((len(index), borne.shape[1]))
    for column in index.T:
        total += borne[column]
    total /= index.shape[1]
    return total


def _means(shares: NDArray[np.float64], places: list[NDArray[np.intp]]) -> tuple[float | None, ...]:
    return tuple(
        float(shares[rows, c].mean()) if len(rows) else None for c, rows in enumerate(places)
    )


def _fingerprint(found: FeatureMap, labels: Array, classes: tuple[str, ...]) -> str:
    """Changes with the coordinates, the labels and their names."""
    told = json.dumps([_ALGORITHM, NEIGHBOURS, CLASS_QUERIES, classes, labels.dtype.str])
    digest = hashlib.sha256(told.encode())
    for values in (labels, found.xy):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]
