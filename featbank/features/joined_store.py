"""Several stores of the same samples read as one, their features side by side."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.errors import UnknownNameError
from featbank.features.combined_store import SEPARATOR, CombinedStore, called, joined_words
from featbank.features.label_agreement import require_same_labels, require_same_splits
from featbank.features.pairing import BY_ID, Pairing, pair_all
from featbank.recipes.recipe import UNTRAINED, lines_sha256, recipe_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from featbank.image import Array
    from featbank.store.reader import Store

# Stands for "the last layer of each store" where their last layers differ.
LAST_OF_EACH = -1
_BETWEEN_FEATURES = "|"


class JoinedStore(CombinedStore):
    """Features of several stores side by side, on the samples that all of them hold.

    Samples are joined on sample id, or on ``pair_id`` where no id is common, in the order of the
    first store. Labels, splits, groups and columns are the first store's; the others must agree
    with them wherever they know the label set or the scheme. A sample is valid where all parts
    embedded it, and excluded where any part excludes it.

    Args:
        stores: Two or more stores, in the order of their features.
        labels: Label set; None takes the first store's default.
        split_scheme: Split scheme; None takes the first store's default.

    Attributes:
        rows: Rows of each part, aligned.
        notes: How many samples each part holds that another lacks, and what was not compared.

    Raises:
        StoreError: No sample is in all stores, one is named twice, or labels or splits differ.
        UnknownNameError: A label set or scheme that the first store lacks.
    """

    def __init__(
        self,
        stores: Sequence[Store],
        *,
        labels: str | None = None,
        split_scheme: str | None = None,
    ) -> None:
        super().__init__(stores)
        first = self.parts[0]
        self._label_set = first.label_set_name(labels) if first.label_sets or labels else None
        self._scheme = first.scheme_name(split_scheme)
        self.rows = pair_all(self.parts)
        self._require_agreement()
        self.notes = tuple(self._notes())

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Those of the parts, joined; the recipe is the list of the parts' recipes."""
        first = self.parts[0].attributes
        ids = [part.attributes["recipe_id"] for part in self.parts]
        hashes = [str(part.attributes.get("labels_sha256", "")) for part in self.parts]
        schemes = [part.attributes.get("fitted_scheme", "") for part in self.parts]
        return {
            "recipe": {"concat": [part.attributes["recipe"] for part in self.parts]},
            "recipe_id": recipe_id({"concat": ids}),
            "dataset": joined_words(self.parts, "dataset"),
            "model": SEPARATOR.join(part.attributes["model"] for part in self.parts),
            "weights": joined_words(self.parts, "weights"),
            "default_feature": self._default_feature(),
            "label_sets": [] if self._label_set is None else [self._label_set],
            "split_schemes": [self._scheme],
            "scheme_aliases": first.get("scheme_aliases", {}),
            "fitted_scheme": ", ".join(dict.fromkeys(scheme for scheme in schemes if scheme)),
            "labels_sha256": lines_sha256(hashes),
            "splits_from": first.get("splits_from", ""),
        }

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        """(N,) sample ids of the first store."""
        return self._first(self.parts[0].ids)

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """(N,) whether every part embedded the sample."""
        pairs = zip(self.parts, self.rows, strict=True)
        return np.asarray(np.all([part.valid[rows] for part, rows in pairs], axis=0))

    @cached_property
    def refused(self) -> NDArray[np.object_]:
        """(N,) why a sample was refused, by the first part that refused it; '' elsewhere."""
        pairs = zip(self.parts, self.rows, strict=True)
        return _first_reason([part.refused[rows] for part, rows in pairs])

    @cached_property
    def exclude(self) -> NDArray[np.object_]:
        """(N,) why a sample is left out, by the first part that says so; '' elsewhere."""
        pairs = zip(self.parts, self.rows, strict=True)
        return _first_reason([part.exclude[rows] for part, rows in pairs])

    @cached_property
    def group(self) -> NDArray[np.object_] | None:
        """(N,) groups of the first store; None where it does not say."""
        groups = self.parts[0].group
        return None if groups is None else self._first(groups)

    @cached_property
    def lonlat(self) -> NDArray[np.float64] | None:
        """(N, 2) places of the first store; None where it does not say."""
        places = self.parts[0].lonlat
        return None if places is None else self._first(places)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Pooled features that all parts hold."""
        first, *others = (part.feature_names for part in self.parts)
        return tuple(name for name in first if all(name in names for names in others))

    @property
    def layers(self) -> tuple[int, ...]:
        """Layers that all parts hold; the last is -1, the last of each, where those differ."""
        first, *others = (part.layers for part in self.parts)
        common = tuple(layer for layer in first if all(layer in layers for layers in others))
        is_same = len({part.layers[-1] for part in self.parts}) == 1
        return common if is_same else (*common, LAST_OF_EACH)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names that ``column`` takes: those of the first store."""
        return self.parts[0].column_names

    def features(self, name: str | None = None, *, layer: int | None = None) -> NDArray[np.float32]:
        """Features of all parts side by side, in the order of the parts.

        Args:
            name: A feature that every part holds; several parts' own, in order, between bars
                (``cls|mean``); None takes each part's default.
            layer: Block index in every part; None or -1 takes each part's last.

        Returns:
            (N, D1 + D2 + …) float32.

        Raises:
            UnknownNameError: A part lacks the feature or the layer.
        """
        names = self._names(name)
        index = None if layer == LAST_OF_EACH else layer
        columns = [
            part.features(own, layer=index)[rows]
            for part, own, rows in zip(self.parts, names, self.rows, strict=True)
        ]
        return np.concatenate(columns, axis=1)

    def labels(self, label_set: str | None = None) -> Array:
        """As in ``Store``, those of the first store."""
        return self._first(self.parts[0].labels(self.label_set_name(label_set)))

    def classes(self, label_set: str | None = None) -> tuple[str, ...]:
        """As in ``Store``, those of the first store."""
        return self.parts[0].classes(self.label_set_name(label_set))

    def split(self, scheme: str | None = None) -> NDArray[np.object_]:
        """As in ``Store``, those of the first store."""
        return self._first(self.parts[0].split(self.scheme_name(scheme)))

    def column(self, name: str) -> NDArray[np.object_]:
        """As in ``Store``, those of the first store."""
        return self._first(self.parts[0].column(name))

    def _first(self, column: NDArray[Any]) -> NDArray[Any]:
        return column[self.rows[0]]

    def _default_feature(self) -> str:
        names = [part.attributes["default_feature"] for part in self.parts]
        return str(names[0]) if len(set(names)) == 1 else _BETWEEN_FEATURES.join(names)

    def _names(self, name: str | None) -> list[str]:
        names = (name or self._default_feature()).split(_BETWEEN_FEATURES)
        if len(names) not in (1, len(self.parts)):
            raise UnknownNameError(
                str(name),
                f"names features of {len(names)} stores, and {len(self.parts)} are joined",
                "one feature for all, or one for each",
                "Correct --features.",
            )
        return names * len(self.parts) if len(names) == 1 else names

    def _require_agreement(self) -> None:
        first = self.parts[0]
        for part, rows in zip(self.parts[1:], self.rows[1:], strict=True):
            pairing = Pairing(first=self.rows[0], second=rows, by=BY_ID)
            if self._label_set in part.label_sets:
                require_same_labels(first, part, pairing, str(self._label_set))
            if self._scheme in part.split_schemes:
                require_same_splits(first, part, pairing, self._scheme)

    def _notes(self) -> Iterator[str]:
        others = "the other store" if len(self.parts) == 2 else "all the other stores"
        for part, rows in zip(self.parts, self.rows, strict=True):
            if alone := len(part) - len(rows):
                samples = f"{alone:,} of {len(part):,} samples of {self._called(part)}"
                yield f"{samples} are not in {others} and left out"
        for part in self.parts[1:]:
            yield from self._part_notes(part)
        if self.layers[-1] == LAST_OF_EACH:
            last = [f"{part.layers[-1]} of {self._called(part)}" for part in self.parts]
            yield f"layers are the last of each store: {', '.join(last)}"

    def _part_notes(self, part: Store) -> Iterator[str]:
        missing = []
        if self._label_set is not None and self._label_set not in part.label_sets:
            missing.append(f"label set '{self._label_set}'")
        if self._scheme not in part.split_schemes:
            missing.append(f"split scheme '{self._scheme}'")
        if missing:
            others = self._called(self.parts[0])
            yield f"{self._called(part)} has no {' and no '.join(missing)}: taken from {others}"
        # The first part's weights begin the joined ones, where every reader of a store looks.
        weights = str(part.attributes.get("weights", ""))
        if weights.startswith(UNTRAINED):
            yield f"weights of {self._called(part)}: {weights}"

    def _called(self, part: Store) -> str:
        return called(part, self.parts)


def _first_reason(columns: Sequence[NDArray[np.object_]]) -> NDArray[np.object_]:
    reasons = columns[0]
    for column in columns[1:]:
        reasons = np.where(reasons == "", column, reasons).astype(object)
    return reasons
