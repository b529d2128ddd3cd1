"""The run log beside a store: in which environment each shard was embedded, and how fast."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Fields that may change a feature's last bits; times and counts may not.
ENVIRONMENT = ("device", "instructions", "torch", "numpy", "featbank", "batch_size", "threads")


def log_path(store: Path) -> Path:
    """Path of a store's run log; it stands outside the Zarr group and is never hashed."""
    return store.with_name(f"{store.name}.runs.jsonl")


def append(store: Path, line: Mapping[str, Any]) -> None:
    """Add one shard's line."""
    with log_path(store).open("a") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")


def read(store: Path) -> list[dict[str, Any]]:
    """All lines, oldest first; a line that a killed process left unfinished is passed over."""
    path = log_path(store)
    if not path.exists():
        return []
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def changed_environment(store: Path, now: Mapping[str, Any]) -> list[str]:
    """What differs between the last logged environment and this one, in words."""
    lines = read(store)
    if not lines:
        return []
    before = lines[-1]
    return [
        f"{name} {before.get(name)} -> {now.get(name)}"
        for name in ENVIRONMENT
        if before.get(name) != now.get(name)
    ]
