"""What a report says, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featbank.bank.bank import Bank
    from featbank.bank.maps import FeatureMap
    from featbank.lookup.subject import Subject
    from featbank.result import Result
    from featbank.stages.report.commands import Repeat
    from featbank.stages.report.options import ReportOptions


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a reader must know of the dataset.

    Attributes:
        name: As users type it.
        n: Samples in the store.
        refused: Samples that were refused at the door.
        excluded: Samples that the dataset leaves out.
        licence: Of the imagery.
        citation: How to cite it.
        processing: Processing level.
        caveats: What makes its numbers look better or worse than they are, with sources.
        splits: Samples of each split of the scheme that is shown.
    """

    name: str
    n: int | None = None
    refused: int | None = None
    excluded: int | None = None
    licence: str = ""
    citation: str = ""
    processing: str = ""
    caveats: tuple[str, ...] = ()
    splits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StoreRun:
    """How a store came to be.

    Attributes:
        path: Its path from beside the bank.
        attributes: As they stand in the store.
        environment: Device and versions of its last shard, and its rate.
    """

    path: str
    attributes: Mapping[str, Any]
    environment: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ResultRun:
    """How a result came to be.

    Attributes:
        head: Its headline.
        name: What it is called in this report.
        repeat: How to make it again.
    """

    head: Result
    name: str
    repeat: Repeat


@dataclass(frozen=True, kw_only=True)
class ReportContent:
    """Everything that a report speaks of.

    Attributes:
        options: What was asked for.
        bank: Where it was found.
        title: Title of the page.
        facts: Of the dataset.
        subject: The store that is shown with all results; None where no store stands any more.
        results: Rows of each result, its headline first, the best result first.
        names: What each result is called.
        stores: How the stores came to be.
        runs: How the results came to be.
        map: The map; None where there is none.
        no_map: Why; empty where there is one.
        out: File that is written.
    """

    options: ReportOptions
    bank: Bank
    title: str
    facts: Facts
    subject: Subject | None
    results: tuple[tuple[Result, ...], ...]
    names: tuple[str, ...]
    stores: tuple[StoreRun, ...]
    runs: tuple[ResultRun, ...]
    map: FeatureMap | None
    no_map: str
    out: Path
