"""Lists of methods and of a bank's checkpoints: a row each, or one in full."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from featbank.bank.bank import Bank
from featbank.bank.checkpoints import checkpoints, read_checkpoint
from featbank.errors import FeatbankWarning, WeightsError
from featbank.methods import METHODS
from featbank.stages.pretrain.settings.hyper import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from featbank.methods.method import MethodSpec


def method_rows() -> list[dict[str, Any]]:
    """One row a pretraining method."""
    return [_method(spec) for spec in METHODS.values()]


def _method(spec: MethodSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "epochs": spec.hyper["epochs"],
        "batch": spec.hyper["batch_size"],
        "needs_teacher": spec.needs_teacher,
        "default_feature": spec.default_feature,
        "summary": spec.summary,
        "source": spec.source,
    }


def method_description(name: str) -> dict[str, Any]:
    """Everything that a method fixes, its hyper-parameters with their published values.

    Raises:
        UnknownNameError: Not in the catalog.
    """
    spec = METHODS[name]
    return {**_method(spec), "hyper": as_json(spec.hyper)}


def checkpoint_rows(bank: Path) -> list[dict[str, Any]]:
    """One row a checkpoint of a bank; a ``FeatbankWarning`` names each that is damaged."""
    return [row for path in checkpoints(Bank(bank)) if (row := _readable(path))]


def _readable(path: Path) -> dict[str, Any] | None:
    try:
        return _checkpoint(path)
    except WeightsError as error:
        warnings.warn(f"left out: {error}", FeatbankWarning, stacklevel=3)
        return None


def _checkpoint(path: Path) -> dict[str, Any]:
    record = read_checkpoint(path)
    return {
        "checkpoint": str(path),
        "name": record.name,
        "dataset": ", ".join(dict.fromkeys(str(each["dataset"]) for each in record.saw)),
        "steps": record.steps,
        "state": "finished" if record.is_finished else "unfinished",
        "bands": ", ".join(str(band["name"]) for band in record.bands),
        "dim": record.config["dim"],
        "image_px": record.image_px,
        "origin": record.origin,
    }


def checkpoint_description(path: Path) -> dict[str, Any]:
    """Everything that a checkpoint says of itself.

    Raises:
        MissingPathError: There is none at this path.
        WeightsError: Its record is damaged.
    """
    record = asdict(read_checkpoint(path))
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return {"checkpoint": str(path), **record, "bytes": size}
