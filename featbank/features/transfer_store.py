"""Training on one store and testing on another, as one store."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import StoreError, UnknownNameError
from featbank.features.class_matching import match_classes
from featbank.features.combined_store import CombinedStore, joined_words
from featbank.features.pairing import matched_rows
from featbank.features.transfer_rows import (
    EVERYTHING,
    FITTED,
    TEST_SPLIT,
    TESTED,
    UNUSED,
    known_rows,
    require_some,
    wanted_rows,
)
from featbank.recipes.recipe import lines_sha256, recipe_id
from featbank.recipes.same_embedding import TRANSFER, match_recipes
from featbank.store.schema import META_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.store.reader import Store

_ARROW = " -> "
_PREFIX = "train:"
_SHOWN = 6


class TransferStore(CombinedStore):
    """Train and validation of one store, test of another: a region, season, sensor or dataset.

    The rows are those of the train store, then those of the test store. Only train and val of the
    first and the test split of the second keep their split; all others are ``unlabelled``. A test
    sample that is a train or validation sample too, by sample id or by pair id, is never scored.
    Ids of the test store stay as they are, so that its predictions join with others; where an id
    is in both stores, those of the train store begin with ``train:``.

    Args:
        train: Store to fit and choose on.
        test: Store to score on.
        allow_mismatch: Whether embed recipes may differ in what makes a feature.
        labels: Label set; None takes the train store's default.
        split_scheme: Split scheme of both; None takes the train store's default.
        test_labels: Label set of the test store, where it has another name.
        test_split: ``test``: the test split of the scheme of that name in the test store; or
            ``all``: every labelled sample of it, which must be of another dataset.

    Attributes:
        notes: Classes of one store only, samples left out, how the recipes differ.

    Raises:
        StoreError: Recipes differ, nothing to test on, label sets that do not match, or no common
            feature or layer.
        UnknownNameError: A label set or split scheme that a store lacks.
        UsageError: An unknown ``test_split``.
    """

    separator = _ARROW

    def __init__(
        self,
        train: Store,
        test: Store,
        *,
        allow_mismatch: bool = False,
        labels: str | None = None,
        split_scheme: str | None = None,
        test_labels: str | None = None,
        test_split: str = TEST_SPLIT,
    ) -> None:
        super().__init__((train, test))
        self.train, self.test = train, test
        self._label_set = train.label_set_name(labels)
        self._test_set = _test_set(test, test_labels, self._label_set)
        self._scheme = train.scheme_name(split_scheme)
        self._tested_scheme = _tested_scheme(train, test, split_scheme)
        self._test_split = test_split
        self._recipe_notes = self._require_same_recipe(allow_mismatch)
        self._require_common_features()
        self._match = match_classes(train, test, label_set=self._label_set, test_set=self._test_set)
        self._tested, self._leaked = self._test_rows()
        self.notes = tuple(self._notes())

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Those of the train store; names and recipe tell both."""
        parts = {"train": self.train.attributes, "test": self.test.attributes}
        ids = {side: attributes["recipe_id"] for side, attributes in parts.items()}
        hashes = [str(part.get("labels_sha256", "")) for part in parts.values()]
        decided = {"test_labels": self._test_set, "test_split": self._test_split}
        return {
            "recipe": {side: attributes["recipe"] for side, attributes in parts.items()},
            "recipe_id": recipe_id({**ids, **decided}),
            "dataset": joined_words(self.parts, "dataset", _ARROW),
            "model": joined_words(self.parts, "model", _ARROW),
            "weights": joined_words(self.parts, "weights", _ARROW),
            "default_feature": self._default_feature(),
            "label_sets": [self._label_set],
            "split_schemes": [self._scheme],
            "scheme_aliases": self.train.attributes.get("scheme_aliases", {}),
            "fitted_scheme": self.train.attributes.get("fitted_scheme", ""),
            "labels_sha256": lines_sha256(hashes),
            "splits_from": self.train.attributes.get("splits_from", ""),
        }

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        """(N,) sample ids; those of the train store are prefixed where both stores share one."""
        ours, theirs = self.train.ids, self.test.ids
        if len(matched_rows(ours, theirs)[0]):
            ours = np.array([f"{_PREFIX}{name}" for name in ours], dtype=object)
        return np.concatenate([ours, theirs])

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """(N,) whether the sample was embedded."""
        return np.concatenate([part.valid for part in self.parts])

    @cached_property
    def refused(self) -> NDArray[np.object_]:
        """(N,) why a sample was refused; '' elsewhere."""
        return np.concatenate([part.refused for part in self.parts])

    @cached_property
    def exclude(self) -> NDArray[np.object_]:
        """(N,) why a dataset leaves a sample out; '' elsewhere."""
        return np.concatenate([part.exclude for part in self.parts])

    @cached_property
    def group(self) -> NDArray[np.object_] | None:
        """(N,) groups; a store without groups lends its sample ids; None where both lack them."""
        if all(part.group is None for part in self.parts):
            return None
        return np.concatenate([p.ids if p.group is None else p.group for p in self.parts])

    @cached_property
    def lonlat(self) -> NDArray[np.float64] | None:
        """(N, 2) places, NaN for a store that does not say; None where both do not."""
        if all(part.lonlat is None for part in self.parts):
            return None
        unknown = (
            np.full((len(p), 2), np.nan) if p.lonlat is None else p.lonlat for p in self.parts
        )
        return np.concatenate(list(unknown))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Pooled features that both stores hold."""
        return tuple(n for n in self.train.feature_names if n in self.test.feature_names)

    @property
    def layers(self) -> tuple[int, ...]:
        """Layers that both stores hold."""
        return tuple(layer for layer in self.train.layers if layer in self.test.layers)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names that ``column`` takes: those of the test store."""
        return self.test.column_names

    def features(self, name: str | None = None, *, layer: int | None = None) -> NDArray[np.float32]:
        """Features of both stores.

        Args:
            name: As in ``Store``; None takes the train store's default.
            layer: Block index; None takes the last one that both stores hold.

        Returns:
            (N, D) float32.

        Raises:
            StoreError: The two D differ.
            UnknownNameError: A store lacks the feature or the layer.
        """
        index = self.layers[-1] if layer is None else layer
        found = [part.features(name or self._default_feature(), layer=index) for part in self.parts]
        if found[0].shape[1] != found[1].shape[1]:
            raise StoreError(
                str(self.path),
                f"features are {found[0].shape[1]} wide in train and {found[1].shape[1]} in test",
                "one width",
                "Embed both with the same model, bands and adapter.",
            )
        return np.concatenate(found)

    def labels(self, label_set: str | None = None) -> Array:
        """As in ``Store``, in the classes of the train store."""
        self.label_set_name(label_set)
        return np.concatenate([self._match.train, self._match.test])

    def classes(self, label_set: str | None = None) -> tuple[str, ...]:
        """K class names: the train store's, or the labels of both where a sample has several."""
        self.label_set_name(label_set)
        return self._match.classes

    def split(self, scheme: str | None = None) -> NDArray[np.object_]:
        """(N,) ``train`` and ``val`` of one store, ``test`` of the other, else ``unlabelled``."""
        ours = self.train.split(self.scheme_name(scheme))
        theirs = np.where(self._tested, TESTED, UNUSED)
        return np.concatenate([np.where(np.isin(ours, FITTED), ours, UNUSED), theirs]).astype(
            object
        )

    def column(self, name: str) -> NDArray[np.object_]:
        """As in ``Store``; '' for samples of a train store that lacks the column."""
        theirs = self.test.column(name)
        names = (name, name.removeprefix(META_PREFIX))
        is_known = any(each in self.train.column_names for each in names)
        ours = self.train.column(name) if is_known else np.full(len(self.train), "", dtype=object)
        return np.concatenate([ours, theirs])

    def _default_feature(self) -> str:
        return str(self.train.attributes["default_feature"])

    def _require_same_recipe(self, allow_mismatch: bool) -> tuple[str, ...]:
        train, test = (part.attributes["recipe"] for part in self.parts)
        found = match_recipes(train, test, TRANSFER)
        told = "; ".join(map(str, found.mismatches))
        if found.mismatches and not allow_mismatch:
            raise StoreError(
                f"{self.train.path.name} and {self.test.path.name}",
                f"their recipes differ: {told}",
                "features made alike",
                "Embed one of them again, or pass --allow-mismatch.",
            )
        return (*([f"recipes differ: {told}"] if told else []), *found.notes)

    def _require_common_features(self) -> None:
        common = {"feature": self.feature_names, "layer": self.layers}
        held = {
            "feature": [part.feature_names for part in self.parts],
            "layer": [tuple(map(str, part.layers)) for part in self.parts],
        }
        for what in (what for what, names in common.items() if not names):
            raise StoreError(
                f"{self.train.path.name} and {self.test.path.name}",
                f"no {what} is in both ({' against '.join(map(', '.join, held[what]))})",
                f"a common {what}",
                "Embed one of them again with --layers or another model.",
            )

    def _test_rows(self) -> tuple[NDArray[np.bool_], int]:
        """(N2,) what is scored, and how many test samples are left out as known from train."""
        wanted = wanted_rows(
            self.train,
            self.test,
            scheme=self._tested_scheme,
            label_set=self._test_set,
            test_split=self._test_split,
        )
        known, lost = known_rows(self.train, self.test, scheme=self._scheme), self._match.is_lost
        scored = wanted & ~known & ~lost & self.test.usable(self._test_set)
        leaked = int((wanted & known).sum())
        require_some(
            self.test, known=leaked, lost=int((wanted & lost).sum()), is_left=bool(scored.any())
        )
        return wanted & ~known, leaked

    def _notes(self) -> Iterator[str]:
        train, test = (part.attributes["dataset"] for part in self.parts)
        if self._test_split == EVERYTHING:
            yield f"all labelled samples of {test} are test"
        elif self._tested_scheme != self._scheme:
            yield f"{test} is split by {self._tested_scheme}, {train} by {self._scheme}"
        if self._leaked:
            yield (
                f"{self._leaked:,} test samples of {test} are train or validation samples of "
                f"{train} and left out"
            )
        match, lost = self._match, int((self._match.is_lost & self._tested).sum())
        if match.train_only:
            fate = "not fitted" if match.train.ndim == 2 else "never true in test"
            yield f"classes that only {train} has, {fate}: {_listed(match.train_only)}"
        if match.test_only:
            fate = "not scored" if match.train.ndim == 2 else f"{lost:,} test samples left out"
            yield f"classes that only {test} has, {fate}: {_listed(match.test_only)}"
        if self.test.group is None and self.group is not None:
            yield f"{test} declares no groups: each of its samples is one"
        yield from self._recipe_notes


def _test_set(test: Store, wanted: str | None, label_set: str) -> str:
    if wanted is not None or label_set in test.label_sets:
        return test.label_set_name(wanted or label_set)
    held = ", ".join(test.label_sets)
    raise UnknownNameError(
        label_set,
        f"{test.path.name} has no such label set",
        f"one of {held}" if held else "a store with labels",
        "Name its label set with --test-labels." if held else "Name another with --test-store.",
    )


def _tested_scheme(train: Store, test: Store, wanted: str | None) -> str:
    """The scheme of the test store: of the same name, which may stand for another true one."""
    asked = train.split_schemes[0] if wanted is None else wanted
    return test.scheme_name(asked) if asked in test.split_schemes else train.scheme_name(wanted)


def _listed(names: Sequence[str]) -> str:
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
