"""Many probes at once: stores by protocols, baselines beside them, a ranking of all."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from featbank.bank.bank import Bank
from featbank.errors import FeatbankError, UsageError
from featbank.lookup.baselines import baseline_stores, how_to_embed
from featbank.stages.probe.options import ProbeOptions, protocols_asked, require_numbers
from featbank.stages.probe.run import ProbeReport, probe_one
from featbank.stages.probe.source import probe_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from featbank.probes.protocols import ProtocolSpec
    from featbank.result import Result
    from featbank.store.reader import Store

    Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One protocol on one store.

    Attributes:
        report: What the probe gave.
        baselines: Headline rows of the baselines, probed in the same way.
        hint: How to make the baselines that are missing; '' where none is.
        troubles: Baselines that this protocol cannot be run on, and why.
    """

    report: ProbeReport
    baselines: list[Result] = field(default_factory=list)
    hint: str = ""
    troubles: tuple[str, ...] = ()

    @property
    def headline(self) -> Result:
        """The row that stands first."""
        return self.report.results[0]


def cells_asked(
    options: ProbeOptions,
    *,
    stores: tuple[Path, ...] = (),
    models: tuple[str, ...] = (),
    datasets: tuple[str, ...] = (),
) -> list[ProbeOptions]:
    """One set of options a store: each store named, each model on each dataset, or the newest.

    Raises:
        UsageError: Joined stores, or another store to score, with several stores.
    """
    named = [replace(options, store=store) for store in stores]
    if models or datasets:
        named += [
            replace(options, model=model, dataset=dataset)
            for dataset in datasets or (None,)
            for model in models or (None,)
        ]
    found = named or [options]
    if len(found) > 1 and (options.concat or options.test_store):
        raise UsageError(
            "--concat" if options.concat else "--test-store",
            f"it stands beside {len(found)} stores",
            "one",
            "Probe them one by one.",
        )
    return found


def probe_cells(
    asked: list[ProbeOptions],
    *,
    baselines: bool = True,
    progress: Callable[[str], AbstractContextManager[Progress]] | None = None,
) -> Iterator[Cell]:
    """Probe each store by each protocol; what stands in the bank is read, not fitted again.

    Args:
        asked: Options, one set a store.
        baselines: Whether to probe the stores of the baselines too, where they exist.
        progress: Opens a bar of a title, to be called with fits done and fits in all.

    Raises:
        FeatbankError: As ``probe_store``; for one store, before anything is fitted.
    """
    for options in asked:
        require_numbers(options)
        protocols = protocols_asked(options.clf, options.protocol)
        store = probe_source(options)
        for protocol in protocols:
            title = f"{protocol.name} on {store.attributes['model']}"
            with progress(title) if progress else nullcontext() as tick:
                report = probe_one(protocol, store, options, progress=tick)
            is_plain = not (options.concat or options.test_store)
            cell = Cell(report=report)
            yield _beside(cell, protocol, store, options) if baselines and is_plain else cell


def _beside(cell: Cell, protocol: ProtocolSpec, store: Store, options: ProbeOptions) -> Cell:
    found = baseline_stores(Bank(options.bank), store)
    plain = replace(options, features=None, layer=None, confusion=False, save=False)
    rows, troubles = [], []
    for name, other in found.items():
        if other is None:
            continue
        try:
            rows.append(probe_one(protocol, other, plain).results[0])
        except FeatbankError as error:
            troubles.append(f"{name}: {error}")
    missing = [name for name, other in found.items() if other is None]
    return replace(
        cell, baselines=rows, hint=how_to_embed(store, missing), troubles=tuple(troubles)
    )


def ranked(cells: list[Cell]) -> list[Result]:
    """Headline rows of cells and baselines, best first, one dataset after the other."""
    rows = [row for cell in cells for row in (cell.headline, *cell.baselines)]
    unique = {row.result: row for row in rows}.values()
    return sorted(unique, key=lambda r: (r.dataset, r.label_set, r.split_scheme, -r.value))
