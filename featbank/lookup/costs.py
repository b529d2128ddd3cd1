"""What models cost: their size from the catalog, their speed and memory from the run logs."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from featbank.backbones import BACKBONES
from featbank.backbones.building.vit_cost import describe_vit
from featbank.bank import runlog
from featbank.bank.runlog import log_path
from featbank.store.state import metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# What one row of speed and memory is of; a run on another machine is another row.
_RUN = ("device", "instructions", "threads", "batch_size", "workers")


def cost_rows(stores: Iterable[Path]) -> list[dict[str, Any]]:
    """One row a model, dataset and environment in which its shards were embedded.

    Args:
        stores: Paths of stores; those without a run log give none.

    Returns:
        Rows of ``model``, ``dataset``, ``store``, ``image_size`` (px; None native), ``parameters``
        and ``gflop`` (None where unknown, or at another size than the catalog's), ``device``,
        ``instructions``, ``threads``, ``batch_size``, ``workers``, ``chips``, ``seconds``,
        ``chips_per_second``, ``peak_bytes`` and ``peak_device_bytes`` (None where the log is older
        than these), and ``times_cpu``: the speed divided by that of the same model and dataset on
        a CPU in this list (the fastest; None where there is none, or it is one). By model, then
        dataset, the fastest first.
    """
    rows = [row for path in stores for row in _rows(path)]
    for row in rows:
        row["times_cpu"] = _times_cpu(row, rows)
    return sorted(rows, key=lambda r: (r["model"], r["dataset"], -r["chips_per_second"]))


def has_cost(store: Path) -> bool:
    """Whether a store's run log stands beside it."""
    return log_path(store).exists()


def _rows(path: Path) -> list[dict[str, Any]]:
    lines = [line for line in runlog.read(path) if line.get("seconds") and line.get("rows")]
    lines.sort(key=_run)
    known = _model(path)
    return [{**known, **_speed(list(group))} for _, group in groupby(lines, key=_run)]


def _run(line: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(line.get(name, "")) for name in _RUN)


def _model(path: Path) -> dict[str, Any]:
    attributes = metadata(path)["attributes"]
    recipe = attributes["recipe"]
    size = recipe.get("input", {}).get("image_size")
    found = {"model": attributes["model"], "dataset": attributes["dataset"], "store": str(path)}
    return {**found, "image_size": size, **_size(attributes["model"], recipe, size)}


def _size(model: str, recipe: dict[str, Any], image_size: int | None) -> dict[str, Any]:
    """Parameters and GFLOP of the very network that the recipe names."""
    spec, config = BACKBONES.get(model), recipe.get("model", {}).get("config", {})
    if spec is None:
        # A checkpoint's config is that of our own vision transformer; of the hub's nothing is told.
        is_known = bool(image_size) and {"mlp_dim", "grid", "patch_px"} <= set(config)
        own = describe_vit(config, image_px=int(image_size or 0)) if is_known else None
        return {
            "parameters": own.parameters if own else None,
            "gflop": own.gflop if own else None,
        }
    provides = spec.describe({**spec.config, **config})
    is_same = image_size == spec.image_size
    return {
        "parameters": provides.parameters or None,
        "gflop": provides.gflop if is_same else None,
    }


def _speed(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    chips = sum(line["rows"] for line in lines)
    seconds = sum(line["seconds"] for line in lines)
    return {
        **{name: lines[0].get(name) for name in _RUN},
        "chips": chips,
        "seconds": round(seconds, 4),
        "chips_per_second": chips / seconds,
        "peak_bytes": _most(lines, "peak_bytes"),
        "peak_device_bytes": _most(lines, "peak_device_bytes"),
    }


def _most(lines: Sequence[dict[str, Any]], name: str) -> int | None:
    found = [line[name] for line in lines if line.get(name) is not None]
    return max(found) if found else None


def _times_cpu(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> float | None:
    same = ("model", "dataset", "image_size")
    others = [
        other["chips_per_second"]
        for other in rows
        if other["device"] == "cpu" and all(other[name] == row[name] for name in same)
    ]
    if row["device"] == "cpu" or not others:
        return None
    return float(row["chips_per_second"] / max(others))
