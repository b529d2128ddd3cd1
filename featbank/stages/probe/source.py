"""What a probe reads: one store, several joined, or one to fit on and another to score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from featbank.bank.bank import STORE_SUFFIX, Bank
from featbank.features.joined_store import JoinedStore
from featbank.features.transfer_store import TransferStore
from featbank.lookup.stores import find_store
from featbank.store.reader import Store

if TYPE_CHECKING:
    from featbank.stages.probe.options import ProbeOptions


def probe_source(options: ProbeOptions) -> Store:
    """Open the store or stores that the options mean.

    Raises:
        FeatbankError: No such store, an unfinished one, or stores that do not fit together.
    """
    bank = Bank(options.bank)
    chosen = {"labels": options.labels, "split_scheme": options.split_scheme}
    if options.concat:
        paths = [_named(bank, name, options.dataset) for name in options.concat]
        source: Store = JoinedStore([Store(path) for path in paths], **chosen)
    else:
        source = Store(
            find_store(bank, store=options.store, model=options.model, dataset=options.dataset)
        )
    if options.test_store is None:
        return source
    return TransferStore(
        source,
        Store(_named(bank, str(options.test_store), None)),
        allow_mismatch=options.allow_mismatch,
        test_labels=options.test_labels,
        test_split=options.test_split,
        **chosen,
    )


def _named(bank: Bank, name: str, dataset: str | None) -> Path:
    """Path of a store that is named by its path or by its model.

    Raises:
        MissingPathError: No such store.
        UsageError: Several stores match.
    """
    if name.endswith(STORE_SUFFIX) or Path(name).exists():
        return Path(name)
    return find_store(bank, model=name, dataset=dataset)
