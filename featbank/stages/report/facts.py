"""What is known of the dataset and of how its stores came to be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.bank.runlog import read as read_log
from featbank.datasets import DATASETS
from featbank.stages.report.content import Facts, StoreRun

if TYPE_CHECKING:
    from featbank.bank.bank import Bank
    from featbank.store.reader import Store

_LOGGED = ("device", "instructions", "threads", "torch", "numpy", "featbank", "batch_size")


def facts_of(name: str, store: Store | None, scheme: str | None) -> Facts:
    """Facts of a dataset, from its catalog entry and from a store of it."""
    spec = DATASETS.get(name)
    known: dict[str, Any] = {"name": name}
    if spec is not None:
        known |= {
            "licence": spec.licence,
            "citation": spec.citation,
            "processing": spec.processing,
            "caveats": spec.caveats,
        }
    return Facts(**known | ({} if store is None else _counted(store, scheme)))


def _counted(store: Store, scheme: str | None) -> dict[str, Any]:
    attributes = store.attributes
    recipe = attributes.get("recipe", {})
    told = {
        "licence": attributes.get("dataset_licence", ""),
        "citation": attributes.get("dataset_citation", ""),
        "processing": recipe.get("dataset", {}).get("processing", ""),
    }
    splits = Counter(store.split(scheme).tolist()) if store.split_schemes else Counter()
    return {
        "n": len(store),
        "refused": int((~store.valid).sum()),
        "excluded": int((store.exclude != "").sum()),
        "splits": {name: splits[name] for name in ("train", "val", "test") if splits[name]},
        **{field: text for field, text in told.items() if text},
    }


def store_run(bank: Bank, store: Store) -> StoreRun:
    """How a store came to be."""
    lines = read_log(store.path)
    environment: dict[str, Any] = {}
    if lines:
        environment = {name: lines[-1][name] for name in _LOGGED if name in lines[-1]}
        seconds = sum(line.get("seconds", 0) for line in lines)
        if seconds > 0:
            rows = sum(line.get("rows", 0) for line in lines)
            environment["chips a second"] = round(rows / seconds, 1)
    path = Path(bank.root.name, "stores", store.path.parent.name, store.path.name)
    return StoreRun(path=str(path), attributes=store.attributes, environment=environment)
