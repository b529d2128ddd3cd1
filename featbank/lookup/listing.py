"""Lists of what there is: models, datasets, stores; and removing a store."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from featbank.backbones import BACKBONES
from featbank.bank.bank import Bank
from featbank.bank.lock import locked
from featbank.bank.runlog import log_path
from featbank.datasets import DATASETS
from featbank.errors import FeatbankWarning, StoreError
from featbank.sources.local_files import DATA_VARIABLE, weights_folder
from featbank.sources.split_gaps import store_gaps
from featbank.store.reader import Store
from featbank.store.schema import REFUSED, SAMPLE_ID, VALID
from featbank.store.state import committed, is_finished, metadata
from featbank.store.stored import stored_values

if TYPE_CHECKING:
    from featbank.backbones import BackboneSpec
    from featbank.datasets import DatasetSpec

# Refused samples that a description names; a store keeps all.
REFUSED_NAMED = 20


def model_rows() -> list[dict[str, Any]]:
    """One row a backbone: what it is, needs, gives and costs."""
    return [_model(spec) for spec in BACKBONES.values()]


def model_row(name: str) -> dict[str, Any]:
    """One backbone.

    Raises:
        UnknownNameError: Not in the catalog.
    """
    return _model(BACKBONES[name])


def _model(spec: BackboneSpec) -> dict[str, Any]:
    provides = spec.describe(spec.config)
    return {
        "name": spec.name,
        "summary": spec.summary,
        "bands": "any" if spec.bind or not spec.takes_weights else "as weights",
        "image_size": spec.image_size,
        "provides": list(provides.features),
        "default_feature": spec.default_feature,
        "dim": provides.dim if spec.takes_weights or spec.fit else None,
        "parameters": provides.parameters,
        "gflop": provides.gflop,
        "normalise": spec.normalise,
        "needs": _needs(spec),
        "weights": spec.weights_from,
        "licence": spec.licence,
        "answers": {answer.name: answer.sentence() for answer in spec.answers},
    }


def _needs(spec: BackboneSpec) -> str:
    needs = [_weights_needed(spec)] if spec.takes_weights else []
    needs += [] if spec.normalise else ["--normalise"]
    return " ".join(word for word in needs if word) or "nothing"


def _weights_needed(spec: BackboneSpec) -> str:
    if spec.remote is not None:
        return "" if (weights_folder() / spec.remote.name).exists() else "--download"
    return "--download" if spec.hub_id else "--weights"


def dataset_rows() -> list[dict[str, Any]]:
    """One row a dataset: what it is, and whether its imagery is on this machine."""
    return [_dataset(spec) for spec in DATASETS.values()]


def _dataset(spec: DatasetSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "title": spec.title,
        "bands": [band.name for band in spec.bands],
        "size": spec.size,
        "processing": spec.processing,
        "licence": spec.licence,
        "citation": spec.citation,
        "on_this_machine": _is_here(spec),
    }


def _is_here(spec: DatasetSpec) -> str:
    if not spec.needs_root:
        return "yes"
    if spec.name == "folder":
        return "yours"
    root = os.environ.get(DATA_VARIABLE)
    return "yes" if root and (Path(root) / spec.name).is_dir() else "no"


def store_rows(bank: Path) -> list[dict[str, Any]]:
    """One row a store of a bank: what it holds, its state and its size.

    A store that is damaged is left out, and a ``FeatbankWarning`` names it.
    """
    return [row for path in Bank(bank).stores() if (row := _readable_row(path))]


def _readable_row(path: Path) -> dict[str, Any] | None:
    try:
        return store_row(path)
    except StoreError as error:
        warnings.warn(f"left out: {error}", FeatbankWarning, stacklevel=3)
        return None


def store_row(path: Path) -> dict[str, Any]:
    """What a store holds, its state and its size; it need not be finished."""
    attributes = metadata(path)["attributes"]
    done, shards = committed(path)
    return {
        "store": str(path),
        "dataset": attributes["dataset"],
        "model": attributes["model"],
        "weights": attributes["weights"],
        "rows": attributes["recipe"]["dataset"]["samples"],
        "features": attributes["recipe"]["features"],
        "state": "finished" if is_finished(path) else f"unfinished: {done} of {shards} shards",
        "bytes": sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
    }


def store_description(path: Path) -> dict[str, Any]:
    """Everything a store's attributes tell, with counts of its rows."""
    attributes = metadata(path)["attributes"]
    valid, refused = _outcomes(path)
    return {
        **store_row(path),
        "valid": int(valid.sum()),
        "refused": dict(refused[:REFUSED_NAMED]),
        "n_refused": len(refused),
        "label_sets": attributes["label_sets"],
        "split_schemes": attributes["split_schemes"],
        "scheme_aliases": attributes.get("scheme_aliases", {}),
        "split_notes": attributes.get("split_notes", {}),
        "split_gaps": store_gaps(Store(path)) if is_finished(path) else [],
        "labels_sha256": attributes["labels_sha256"],
        "statistics": attributes["statistics_source"],
        "notes": attributes["notes"],
        "duplicates": attributes.get("duplicates"),
        "recipe_id": attributes["recipe_id"],
        "recipe": attributes["recipe"],
        "command": attributes["command"],
        "weights_licence": attributes["weights_licence"],
        "dataset_licence": attributes["dataset_licence"],
        "dataset_citation": attributes["dataset_citation"],
    }


def _outcomes(path: Path) -> tuple[np.ndarray[Any, Any], list[tuple[str, str]]]:
    names = (SAMPLE_ID, VALID, REFUSED)
    ids, valid, reasons = (stored_values(path, name) for name in names)
    rows = np.flatnonzero(reasons != "")
    return valid, [(str(ids[row]), str(reasons[row])) for row in rows]


def remove_store(path: Path) -> int:
    """Remove a store with its run log.

    Returns:
        Bytes freed.

    Raises:
        MissingPathError: There is no store at this path.
        LockedError: A process is writing it.
        StoreError: It cannot be removed.
    """
    freed = int(store_row(path)["bytes"])
    with locked(path, tell=lambda _: None):
        try:
            shutil.rmtree(path)
        except OSError as error:
            raise StoreError(
                str(path), f"cannot be removed ({error.strerror})", "write access", "Check it."
            ) from error
        log_path(path).unlink(missing_ok=True)
    return freed
