"""One writer a store: a lock file beside it that names its owner and outlives no process."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from featbank.errors import LockedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def locked(store: Path, *, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold a store for writing.

    The operating system frees the lock when its owner dies, however it dies; the owner's name in
    the file then tells whom this process takes over from.

    Args:
        store: The store's path; the lock is ``<store>.lock`` beside it.
        tell: Takes one line where the last owner died.

    Raises:
        LockedError: A living process writes the store.
    """
    path = store.with_name(f"{store.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _taken(path):
        dead = _owner(path)
        if dead:
            tell(f"{store.name}: taking over from {dead}, which ended before it was done")
        _name_owner(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _taken(path: Path) -> TextIO:
    """The lock file, open and locked, and still the one that the path names."""
    while True:
        file = path.open("a+")
        try:
            _take(file.fileno(), path)
        except LockedError:
            file.close()
            raise
        if _is_still(path, file.fileno()):
            return file
        file.close()


def _is_still(path: Path, descriptor: int) -> bool:
    # The last owner may have removed the file after we opened it and before we locked it.
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LockedError(
            str(path.with_suffix("")),
            f"{_owner(path) or 'another process'} is writing it",
            "one writer for a store",
            "Wait for it to end, or stop it.",
        ) from error


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text())
    except (ValueError, OSError):
        return ""
    return f"process {owner['pid']} on {owner['host']}"


def _name_owner(path: Path) -> None:
    path.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
