"""Which results and stores of a bank a report speaks of."""

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
    UnfinishedStoreError,
    UnknownNameError,
    UsageError,
)
from featbank.lookup.stores import dataset_name, of_other_folders, stores_of
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bank.bank import Bank
    from featbank.result import Result
    from featbank.stages.report.options import ReportOptions

    Rows = tuple[Result, ...]


def chosen_results(bank: Bank, options: ReportOptions, dataset: str | None) -> list[Rows]:
    """Rows of each result, its headline first: those named, or all that the options leave.

    Results that are named keep their order; others follow from the best to the worst.

    Raises:
        UnknownNameError: No result has such an id.
        UsageError: Several results begin with it, or several datasets are meant.
    """
    known = sorted(path.stem for path in bank.result_path("x").parent.glob("*.parquet"))
    if options.results:
        named = dict.fromkeys(_complete(bank, prefix, known) for prefix in options.results)
        found = [_rows(bank, name) for name in named]
        _require_one_dataset(found)
        return found
    every = (readable_result(bank.result_path(name)) for name in known)
    found = [_sorted(rows) for rows in every if rows]
    others = of_other_folders(bank, options.dataset)
    kept = [rows for rows in found if _is_meant(rows[0], options, dataset)]
    kept = [rows for rows in kept if Path(rows[0].store).name not in others]
    return sorted(kept, key=_from_best)


def _from_best(rows: Rows) -> tuple[float, str]:
    value = rows[0].value
    # NaN has no place in an order.
    return (-value if value == value else 1.0), rows[0].result


def _is_meant(head: Result, options: ReportOptions, dataset: str | None) -> bool:
    wanted = {
        "dataset": dataset,
        "label_set": options.labels,
        "split_scheme": options.split_scheme,
    }
    is_named = all(getattr(head, field) == v for field, v in wanted.items() if v is not None)
    of_store = options.store is None or options.store.name in head.store
    return is_named and of_store


def _rows(bank: Bank, name: str) -> Rows:
    return _sorted(read_result(bank.result_path(name)))


def _sorted(rows: Sequence[Result]) -> Rows:
    return tuple(sorted(rows, key=lambda row: not row.selected))


def _complete(bank: Bank, prefix: str, known: Sequence[str]) -> str:
    matching = [name for name in known if prefix and name.startswith(prefix)]
    if prefix in matching or len(matching) == 1:
        return prefix if prefix in matching else matching[0]
    if matching:
        raise UsageError(
            prefix,
            f"{len(matching)} results begin with it: {', '.join(matching)}",
            "one",
            "Give more digits.",
        )
    raise UnknownNameError(
        prefix,
        f"no result in {bank.root} has this id",
        f"the id, or its first digits, of one of {len(known)} results",
        suggest(prefix, known) or "List them with featbank.read_results().",
    )


def _require_one_dataset(found: Sequence[Rows]) -> None:
    datasets = sorted({rows[0].dataset for rows in found})
    if len(datasets) > 1:
        raise UsageError(
            "report",
            f"the results are of {len(datasets)} datasets: {', '.join(datasets)}",
            "results of one dataset",
            "Make one page for each.",
        )


def finished_stores(bank: Bank, dataset: str) -> list[Store]:
    """All finished stores of a dataset, the newest first."""
    found = []
    for path in stores_of(bank, dataset=dataset):
        try:
            found.append(Store(path))
        except UnfinishedStoreError:
            continue
        except StoreError as error:
            warnings.warn(f"left out: {error}", FeatbankWarning, stacklevel=2)
    return sorted(found, key=lambda store: -store.path.stat().st_mtime_ns)


def leading_store(bank: Bank, options: ReportOptions, found: Sequence[Rows]) -> Store | None:
    """The store whose samples the page shows: named, of the first result, or the newest.

    None where results outlive their stores.

    Raises:
        MissingPathError: There is neither a store nor a result.
    """
    if options.store is not None:
        return Store(options.store)
    if options.results:
        standing = (stored_here(bank, rows[0]) for rows in found)
        return next((Store(path) for path in standing if path is not None), None)
    if options.dataset is None:
        return Store(bank.newest())
    return _of_dataset(bank, options.dataset, found)


def _of_dataset(bank: Bank, dataset: str, found: Sequence[Rows]) -> Store | None:
    stores = finished_stores(bank, dataset)
    if not stores and not found:
        raise MissingPathError(
            str(bank.root),
            f"holds neither a finished store nor a result of dataset '{dataset_name(dataset)}'",
            "a dataset that was embedded into this bank",
            "Embed it first, or list the stores with 'featbank stores'.",
        )
    # The store of the best result is what the page is about; the newest may be a baseline.
    best = [Path(rows[0].store).name for rows in found]
    by_name = {store.path.name: store for store in reversed(stores)}
    return next((by_name[name] for name in best if name in by_name), stores[0] if stores else None)


def stored_here(bank: Bank, head: Result) -> Path | None:
    """Where this bank holds the store of a result, moved or not; None where it does not."""
    said = Path(head.store)
    here = bank.stores_folder / said.parent.name / said.name
    return bank.store_of_recipe(head.recipe, usual=here)
