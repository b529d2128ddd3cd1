"""What a command speaks of: results by id, or a store and all results of it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.bank.results import read_result, readable_result
from featbank.catalog import suggest
from featbank.errors import (
    FeatbankWarning,
    MissingPathError,
    StoreError,
    UnknownNameError,
    UsageError,
)
from featbank.features.combined_store import SEPARATOR
from featbank.lookup.baselines import BASELINES
from featbank.lookup.result_names import complete_id
from featbank.lookup.stores import dataset_name, find_store, standing_store, stores_of
from featbank.lookup.subject import Subject
from featbank.store.absent import AbsentStore
from featbank.store.reader import Store
from featbank.store.state import is_finished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bank.bank import Bank
    from featbank.result import Result

    Rows = tuple[Result, ...]


def find_subject(
    bank: Bank,
    *,
    results: Sequence[str] = (),
    store: Path | None = None,
    model: str | None = None,
    dataset: str | None = None,
    labels: str | None = None,
    split_scheme: str | None = None,
) -> Subject:
    """The store and the results that are meant.

    Results that are named keep their order and bring their store with them, which may be gone.
    Without any, a dataset alone stands for all results of it, whatever their store, and otherwise
    the store found brings all of its results; the newest comes first, of a dataset baselines last.

    Args:
        bank: Where to look.
        results: Ids of results, or their first digits.
        store: Path of a store; wins over model and dataset.
        model: As ``embed`` takes it.
        dataset: As ``embed`` takes it.
        labels: Label set; None takes that of the first result, or the store's default.
        split_scheme: Split scheme, likewise.

    Raises:
        UnknownNameError: No result has such an id, or the store has no such label set or scheme.
        UsageError: An id that several results begin with, one result twice, or several stores.
        MissingPathError: No such store, and no result of it.
    """
    if results:
        found = _named(bank, results)
        opened = _store_of(bank, found[0][0]) if store is None else Store(store)
    else:
        opened, found = _stored(bank, store=store, model=model, dataset=dataset)
    kept = [rows for rows in found if _fits(rows[0], labels, split_scheme)]
    if results and len(kept) < len(found):
        raise _clash(next(rows[0] for rows in found if rows not in kept), labels, split_scheme)
    head = kept[0][0] if kept and results else None
    if not isinstance(opened, AbsentStore):
        _require_known(opened, labels, split_scheme)
    return Subject(
        bank=bank,
        store=opened,
        results=tuple(kept),
        label_set=labels or (head.label_set if head else None),
        split_scheme=split_scheme or (head.split_scheme if head else None),
    )


def results_of(bank: Bank) -> list[Rows]:
    """Rows of every result of a bank, each headline first, the newest result first.

    A ``FeatbankWarning`` names each file that is damaged, and it is left out.
    """
    paths = list(bank.result_path("x").parent.glob("*.parquet"))
    paths.sort(key=lambda path: (-path.stat().st_mtime_ns, path.stem))
    every = (rows for path in paths if (rows := readable_result(path)) is not None)
    return [_sorted(rows) for rows in every]


def _rows(path: Path) -> Rows:
    return _sorted(read_result(path))


def _sorted(rows: Sequence[Result]) -> Rows:
    return tuple(sorted(rows, key=lambda row: not row.selected))


def _named(bank: Bank, ids: Sequence[str]) -> list[Rows]:
    known = sorted(path.stem for path in bank.result_path("x").parent.glob("*.parquet"))
    found = [complete_id(bank, prefix, known) for prefix in ids]
    for result in found:
        if found.count(result) > 1:
            raise UsageError(
                result, "it is named twice", "different results", "Leave one of them out."
            )
    return [_rows(bank.result_path(result)) for result in found]


def _stored(
    bank: Bank, *, store: Path | None, model: str | None, dataset: str | None
) -> tuple[Store, list[Rows]]:
    every = results_of(bank)
    if store is None and dataset is not None and model is None:
        return _of_dataset(bank, dataset, every)
    try:
        opened = Store(find_store(bank, store=store, model=model, dataset=dataset))
    except MissingPathError:
        gone = [rows for rows in every if _is_meant(rows[0], store, model, dataset)]
        if not gone:
            raise
        return _store_of(bank, gone[0][0]), gone
    return opened, [rows for rows in every if is_of_store(rows[0], opened)]


def _of_dataset(bank: Bank, dataset: str, every: Sequence[Rows]) -> tuple[Store, list[Rows]]:
    """The store of the newest result of a dataset, or the only one, and all of its results.

    Baselines come last: they are probed after what they stand beside, and nobody asks for them.
    """
    name = dataset_name(dataset)
    stores = [path for path in stores_of(bank, dataset=dataset) if _is_readable(path)]
    known = {path.resolve() for path in stores}
    # Stores of another folder of the same name are another dataset.
    others = {path.resolve() for path in bank.stores(dataset=name)} - known
    places = [(rows, place_of(bank, rows[0]).resolve()) for rows in every]
    found = [
        rows
        for rows, place in places
        if place in known or (rows[0].dataset == name and place not in others)
    ]
    found.sort(key=lambda rows: rows[0].model in BASELINES)
    for rows in found:
        opened = _store_of(bank, rows[0])
        if not isinstance(opened, AbsentStore):
            return opened, found
    if found and not stores:
        return _store_of(bank, found[0][0]), found
    if len(stores) == 1:
        return Store(stores[0]), found
    return Store(find_store(bank, dataset=dataset)), found


def _is_meant(head: Result, store: Path | None, model: str | None, dataset: str | None) -> bool:
    if store is not None:
        return Path(head.store).name == store.name
    name = None if dataset is None else dataset_name(dataset)
    if model is None and name is None:
        return False
    return model in (None, head.model) and name in (None, head.dataset)


def is_of_store(head: Result, store: Store) -> bool:
    """Whether a result was fitted or scored on a store, by its recipe or its name."""
    names = {Path(part).name for part in _parts(head)}
    told = store.attributes
    is_same = head.dataset in told.get("dataset_names", [told["dataset"]])
    is_named = store.path.name in names or head.recipe == told["recipe_id"]
    return is_named and (is_same or head.test_store is not None)


def place_of(bank: Bank, head: Result) -> Path:
    """Where the scored store of a result stands: as it says, or in this bank under its name."""
    said = Path(_parts(head)[-1])
    return standing_store(bank, said, "" if len(_parts(head)) > 1 else head.recipe) or said


def _parts(head: Result) -> list[str]:
    """Paths of the stores of a result: fitted on, then scored."""
    scored = [] if head.test_store is None else head.test_store.split(SEPARATOR)[:1]
    return [*head.store.split(SEPARATOR), *scored]


def _store_of(bank: Bank, head: Result) -> Store:
    path = place_of(bank, head)
    return Store(path) if path.exists() and _is_readable(path) else AbsentStore(path)


def _is_readable(path: Path) -> bool:
    """Whether a store is finished; a ``FeatbankWarning`` names one that is damaged."""
    try:
        return is_finished(path)
    except StoreError as error:
        warnings.warn(f"left out: {error}", FeatbankWarning, stacklevel=3)
        return False


def _fits(head: Result, labels: str | None, split_scheme: str | None) -> bool:
    schemes = (None, head.split_scheme, head.split_alias)
    return labels in (None, head.label_set) and split_scheme in schemes


def _clash(head: Result, labels: str | None, split_scheme: str | None) -> UsageError:
    asked = [
        text for text, value in ((f"--labels {labels}", labels),
                                 (f"--split-scheme {split_scheme}", split_scheme)) if value
    ]  # fmt: skip
    return UsageError(
        " ".join(asked),
        f"result {head.result} is of labels {head.label_set}, split {head.split_scheme}",
        "those of the results that are named",
        "Leave the option out, or name other results.",
    )


def _require_known(store: Store, labels: str | None, split_scheme: str | None) -> None:
    pairs = ((labels, store.label_sets, "label set"), (split_scheme, store.split_schemes, "scheme"))
    for name, known, what in pairs:
        if name is not None and name not in known:
            raise UnknownNameError(
                name,
                f"{store.path.name} has no such {what}",
                f"one of {', '.join(known)}" if known else f"a store with a {what}",
                suggest(name, known),
            )
