"""Gathering what a report says: results, stores, facts, the map. Pages draw it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.bank.bank import Bank
from featbank.errors import UnfinishedStoreError, UsageError
from featbank.lookup.result_names import names_of
from featbank.lookup.stores import dataset_name
from featbank.lookup.subject import Subject
from featbank.stages.report.choice import (
    chosen_results,
    finished_stores,
    leading_store,
    stored_here,
)
from featbank.stages.report.commands import repeat_probe
from featbank.stages.report.content import ReportContent, ResultRun
from featbank.stages.report.facts import facts_of, store_run
from featbank.stages.report.finding_map import find_map
from featbank.stages.report.options import FORMATS, ReportOptions
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bank.maps import FeatureMap
    from featbank.result import Result
    from featbank.stages.report.finding_map import MakeMap

__all__ = ["ReportContent", "ReportOptions", "gather_report"]

_SUFFIXES = {"html": ".html", "md": ".md", "latex": ".tex"}


def gather_report(options: ReportOptions, *, make_map: MakeMap | None = None) -> ReportContent:
    """Find everything that a report speaks of, and check that it can be written.

    Args:
        options: What is asked for.
        make_map: Makes a map of a store by a projection where the bank holds none; None makes
            none.

    Raises:
        FeatbankError: Unknown results, store, label set, scheme, column or map; nothing to show;
            a file that cannot be written.
    """
    if options.format not in FORMATS:
        raise UsageError(
            "--format", f"it is '{options.format}'", f"one of {', '.join(FORMATS)}", "Choose one."
        )
    bank = Bank(options.bank)
    dataset = _dataset_asked(bank, options)
    results = chosen_results(bank, options, dataset)
    store = leading_store(bank, options, results)
    dataset = dataset or (store.attributes["dataset"] if store else results[0][0].dataset)
    out = options.out or bank.root / "reports" / f"{dataset}{_SUFFIXES[options.format]}"
    require_writable(out)
    subject = None if store is None else _subject(bank, store, results, options)
    found, no_map = _map(bank, subject, options, make_map)
    names = tuple(names_of([rows[0] for rows in results]))
    return ReportContent(
        options=options,
        bank=bank,
        title=options.title or f"Features and probes on {dataset}",
        facts=facts_of(dataset, store, subject.split_scheme if subject else None),
        subject=subject and replace(subject, map=found),
        results=tuple(results),
        names=tuple(names),
        stores=tuple(store_run(bank, each) for each in _stores(bank, dataset, store, results)),
        runs=_runs(bank, results, names),
        map=found,
        no_map=no_map,
        out=out,
    )


def require_writable(out: Path) -> None:
    """Refuse a file that cannot be written, before any work.

    Raises:
        UsageError: It is a folder, or its folder cannot be written into.
    """
    if out.is_dir():
        raise UsageError(str(out), "it is a folder", "a file", "Name a file in it with --out.")
    folder = next(each for each in (out.parent, *out.parent.parents) if each.exists())
    is_good = folder.is_dir() and os.access(out if out.exists() else folder, os.W_OK)
    if not is_good:
        raise UsageError(
            str(out), "it cannot be written", "a file in a folder of yours", "Name one with --out."
        )


def _dataset_asked(bank: Bank, options: ReportOptions) -> str | None:
    if options.dataset is not None:
        return dataset_name(options.dataset)
    if options.results:
        return None
    path = options.store or bank.newest()
    return str(Store(path).attributes["dataset"])


def _subject(
    bank: Bank, store: Store, results: Sequence[tuple[Result, ...]], options: ReportOptions
) -> Subject:
    """The store, with its label set and split scheme checked."""
    heads = [rows[0] for rows in results if Path(rows[0].store).name == store.path.name]
    # A page of named results shows the labels that they are of.
    named = heads[0] if options.results and heads else None
    labels = options.labels or (named.label_set if named else None)
    scheme = options.split_scheme or (named.split_scheme if named else None)
    if options.by is not None:
        store.column(options.by)
    return Subject(
        bank=bank,
        store=store,
        results=tuple(results),
        label_set=store.label_set_name(labels) if store.label_sets or labels else None,
        split_scheme=store.scheme_name(scheme) if store.split_schemes or scheme else None,
    )


def _map(
    bank: Bank, subject: Subject | None, options: ReportOptions, make_map: MakeMap | None
) -> tuple[FeatureMap | None, str]:
    if subject is None:
        return None, "the store is no longer there"
    if options.format != "html":
        return None, "only the page shows it"
    return find_map(bank, subject.store, options.map, make_map)


def _stores(
    bank: Bank, dataset: str, store: Store | None, results: Sequence[tuple[Result, ...]]
) -> list[Store]:
    """The leading store, then those that results were probed on."""
    wanted = {Path(part).name for rows in results for part in rows[0].store.split(" + ")}
    others = [each for each in finished_stores(bank, dataset) if each.path.name in wanted]
    first = [] if store is None else [store]
    return first + [each for each in others if not store or each.path.name != store.path.name]


def _runs(
    bank: Bank, results: Sequence[tuple[Result, ...]], names: Sequence[str]
) -> tuple[ResultRun, ...]:
    opened: dict[str, Store | None] = {}
    found = []
    for rows, name in zip(results, names, strict=True):
        head = rows[0]
        if head.store not in opened:
            opened[head.store] = _opened(bank, head)
        repeat = repeat_probe(bank, rows, opened[head.store])
        found.append(ResultRun(head=head, name=name, repeat=repeat))
    return tuple(found)


def _opened(bank: Bank, head: Result) -> Store | None:
    path = stored_here(bank, head)
    try:
        return None if path is None else Store(path)
    except UnfinishedStoreError:
        return None
