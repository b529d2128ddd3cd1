"""What a figure or a report speaks of: a store, results, and what the bank holds of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from featbank.bank.maps import FeatureMap, maps_of
from featbank.bank.results import Predictions, read_predictions
from featbank.errors import FeatbankError, FeatbankWarning, StoreError
from featbank.store.absent import AbsentStore

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.bank.bank import Bank
    from featbank.pictures.chip_pictures import ChipPictures
    from featbank.result import Result
    from featbank.store.reader import Store


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A store and results, everything else read when it is first asked for.

    Attributes:
        bank: Where predictions and maps stand.
        store: The store that is looked at; an ``AbsentStore`` where it is gone, so that results
            and predictions can still be drawn.
        results: Rows of each result, its headline first.
        label_set: Nomenclature; None takes the store's default.
        split_scheme: None takes the store's default.
        map: The map that is drawn; None takes the newest of the store.
    """

    bank: Bank
    store: Store
    results: tuple[tuple[Result, ...], ...] = ()
    label_set: str | None = None
    split_scheme: str | None = None
    map: FeatureMap | None = None
    _predictions: dict[str, Predictions | None] = field(default_factory=dict, repr=False)

    def of(self, rows: tuple[Result, ...]) -> Subject:
        """The same with one result alone."""
        return replace(self, results=(rows,))

    @property
    def has_store(self) -> bool:
        """Whether the store is there to be read."""
        return not isinstance(self.store, AbsentStore)

    @property
    def headlines(self) -> list[Result]:
        """The headline of each result."""
        return [rows[0] for rows in self.results]

    def predictions(self, result: str) -> Predictions | None:
        """What a probe said of the samples that it was scored on; None where none are kept.

        Damaged ones are none, and are told of: what else there is can be drawn without them.
        """
        if result not in self._predictions:
            self._predictions[result] = _kept(self.bank.predictions_path(result))
        return self._predictions[result]

    @cached_property
    def feature_map(self) -> FeatureMap | None:
        """The map that is drawn; None where the bank holds none of the store."""
        if self.map is not None:
            return self.map
        if not self.has_store:
            return None
        found = maps_of(self.bank, self.store.attributes["recipe_id"])
        return found[0] if found else None

    @cached_property
    def pictures(self) -> ChipPictures | None:
        """Draws the chips; None where the images are out of reach (``no_pictures`` says why)."""
        return None if isinstance(self._pictures, str) else self._pictures

    @property
    def no_pictures(self) -> str:
        """Why chips cannot be drawn; empty where they can."""
        return self._pictures if isinstance(self._pictures, str) else ""

    @cached_property
    def _pictures(self) -> ChipPictures | str:
        from featbank.pictures.chip_pictures import ChipPictures

        try:
            return ChipPictures(self.store)
        except FeatbankError as error:
            return str(error)


def _kept(path: Path) -> Predictions | None:
    if not path.exists():
        return None
    try:
        return read_predictions(path)
    except StoreError as error:
        warnings.warn(f"left out: {error}", FeatbankWarning, stacklevel=3)
        return None
