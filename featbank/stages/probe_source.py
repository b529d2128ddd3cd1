"""What a probe reads: one store, several joined, or one to fit on and another to score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from featbank.bank.bank import STORE_SUFFIX, Bank
from featbank.stages.finding import find_store
from featbank.store.reader import Store

if TYPE_CHECKING:
    from featbank.stages.probe_options import ProbeOptions


def probe_source(options: ProbeOptions) -> Store:
    """Open the store or stores that the options mean.

    Raises:
        FeatbankError: No such store, an unfinished one, or stores that do not fit together.
    """
    bank = Bank(options.bank)
    return Store(
        find_store(bank, store=options.store, model=options.model, dataset=options.dataset)
    )


def named_store(bank: Bank, name: str, dataset: str | None) -> Path:
    """Path of a store that is named by its path or by its model.

    Raises:
        MissingPathError: No such store.
        UsageError: Several stores match.
    """
    if name.endswith(STORE_SUFFIX) or Path(name).exists():
        return Path(name)
    return find_store(bank, model=name, dataset=dataset)
