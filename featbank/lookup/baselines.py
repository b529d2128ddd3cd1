"""The two cheap baselines that stand beside every result: image statistics, random convolutions."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from featbank.errors import UnfinishedStoreError
from featbank.store.reader import Store

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.bank.bank import Bank

BASELINES = ("imagestats", "rcf")
# Options of ``embed`` that say which samples and bands a store is of.
_KEPT = ("--dataset", "--bands", "--chips", "--limit", "--split-scheme")


def baseline_stores(bank: Bank, store: Store) -> dict[str, Store | None]:
    """The finished store of each baseline that can stand beside a store.

    It has to hold the same samples, labels and splits: the same ``labels_sha256``. Where several
    do, the one of the same bands is taken, then the first by name.

    Args:
        bank: Where to look.
        store: Store that is probed; a baseline itself has no baseline beside it.

    Returns:
        Store by baseline, None where there is none; empty where the store is a baseline.
    """
    if store.attributes["model"] in BASELINES:
        return {}
    return {name: _alike(bank, store, name) for name in BASELINES}


def _alike(bank: Bank, store: Store, model: str) -> Store | None:
    paths = bank.stores(dataset=store.attributes["dataset"], model=model)
    found = [other for other in map(_finished, paths) if other is not None]
    fitting = [
        other
        for other in found
        if other.attributes["labels_sha256"] == store.attributes["labels_sha256"]
    ]
    bands = store.attributes.get("bands")
    fitting.sort(key=lambda other: other.attributes.get("bands") != bands)
    return fitting[0] if fitting else None


def _finished(path: Path) -> Store | None:
    try:
        return Store(path)
    except UnfinishedStoreError:
        return None


def how_to_embed(store: Store, missing: list[str]) -> str:
    """The commands that make missing baselines, on one line; '' where none is missing."""
    words = shlex.split(store.attributes["command"])
    kept = [
        part
        for option in _KEPT
        if option in words
        for part in (option, words[words.index(option) + 1])
    ]
    return "; ".join(shlex.join(["featbank", "embed", "--model", name, *kept]) for name in missing)
