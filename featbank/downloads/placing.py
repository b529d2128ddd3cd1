"""Putting unpacked files into their folder: all of them or none, never over other content."""

from __future__ import annotations

import filecmp
import os
from typing import TYPE_CHECKING

from featbank.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def place(staging: Path, folder: Path, *, last: str = "") -> list[Path]:
    """Move what was unpacked into its folder.

    What is absent there is moved whole; of what is there already, only identical files pass.

    Args:
        staging: The folder of unpacked files, on the same disk; empty afterwards.
        folder: Where they belong.
        last: Path inside it whose presence tells that all is there; its entry is moved last.

    Returns:
        The top-level entries, in the order in which they were moved.

    Raises:
        DownloadError: A file is there already with other content; nothing was moved.
    """
    for path in _clashes(staging, folder):
        raise DownloadError(
            str(path),
            "is there already, with other content than the archive's",
            "no such file, or the same",
            "Move it away, then repeat the command.",
        )
    mark = last.split("/")[0]
    names = sorted(
        (entry.name for entry in staging.iterdir()), key=lambda name: (name == mark, name)
    )
    for name in names:
        _move(staging / name, folder / name)
    return [folder / name for name in names]


def _clashes(source: Path, target: Path) -> Iterator[Path]:
    for entry in source.iterdir():
        there = target / entry.name
        if not os.path.lexists(there):
            continue
        is_plain = not there.is_symlink()
        if entry.is_dir() and is_plain and there.is_dir():
            yield from _clashes(entry, there)
        elif not (is_plain and there.is_file() and _is_same(entry, there)):
            yield there


def _is_same(entry: Path, there: Path) -> bool:
    return entry.is_file() and filecmp.cmp(entry, there, shallow=False)


def _move(source: Path, target: Path) -> None:
    if not os.path.lexists(target):
        source.rename(target)
    elif source.is_dir():
        for entry in list(source.iterdir()):
            _move(entry, target / entry.name)
        source.rmdir()
    else:
        source.unlink()
