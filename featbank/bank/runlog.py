"""The run log beside a store: in which environment each shard was embedded, and how fast."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from typing import TYPE_CHECKING, Any

from featbank.disk import open_in_place
from featbank.json_file import DamagedJson, parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Fields that may change a feature's last bits; times and counts may not.
ENVIRONMENT = (
    "device",
    "instructions",
    "torch",
    "numpy",
    "featbank",
    "batch_size",
    "compiled",
    "threads",
)
# What lines mean that were written before a field was.
_BEFORE = {"compiled": False}
_NUMBERS = ("rows", "seconds")
# What a write that takes a part alone stands for.
_SHORT = (errno.ENOSPC, os.strerror(errno.ENOSPC))


def log_path(store: Path) -> Path:
    """Path of a store's run log; it stands outside the Zarr group and is never hashed."""
    return store.with_name(f"{store.name}.runs.jsonl")


def append(store: Path, line: Mapping[str, Any]) -> None:
    """Add one shard's line; lines of several processes never mix.

    Raises:
        LinkError: A symbolic link bears the log's name; it is not followed.
        OSError: The disk is full or fails; no part of the line stays.
    """
    path = log_path(store)
    with open(open_in_place(path), "r+b", buffering=0) as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        end = file.seek(0, os.SEEK_END)
        text = json.dumps(line, sort_keys=True).encode() + b"\n"
        if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
            # A killed process left its line unfinished: this one starts on its own.
            text = b"\n" + text
        try:
            _write(file.fileno(), text)
        except OSError as error:
            file.truncate(end)
            error.filename = str(path)
            raise


def read(store: Path) -> list[dict[str, Any]]:
    """All lines, oldest first; one that is unfinished, or no line of a log, is passed over."""
    path = log_path(store)
    if not path.exists():
        return []
    lines = []
    for text in path.read_bytes().splitlines():
        try:
            line = parse_object(text)
        except DamagedJson:
            continue
        if all(_is_number(line.get(name, 0)) for name in _NUMBERS):
            lines.append(line)
    return lines


def said(line: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What a line says of a field, or means where it was written before there was the field."""
    return line.get(name, _BEFORE.get(name))


def changed_environment(store: Path, now: Mapping[str, Any]) -> list[str]:
    """What differs between the last logged environment and this one, in words."""
    lines = read(store)
    if not lines:
        return []
    before = lines[-1]
    return [
        f"{name} {said(before, name)} -> {said(now, name)}"
        for name in ENVIRONMENT
        if said(before, name) != said(now, name)
    ]


def _write(descriptor: int, text: bytes) -> None:
    if os.write(descriptor, text) != len(text):
        raise OSError(*_SHORT)
    os.fsync(descriptor)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
