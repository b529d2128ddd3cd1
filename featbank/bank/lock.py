"""One writer at a time: lock files that name their owner and outlive no process."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from featbank.disk import naming, open_in_place
from featbank.errors import LockedError
from featbank.json_file import DamagedJson, parse_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO
    from pathlib import Path

# Changing a file of a bank takes milliseconds: whoever holds it for longer than this was stopped.
_PATIENCE_S, _PAUSE_S = 30.0, 0.005


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
        LinkError: The lock's name is taken by a symbolic link, which is not followed.
    """
    path = store.with_name(f"{store.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _taken(path, patience_s=0.0) as file:
        dead = _owner(file)
        if dead:
            tell(f"{store.name}: taking over from {dead}, which ended before it was done")
        with naming(path):
            _name_owner(file)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Hold a file of a bank while it is read, changed and written; others wait for their turn.

    Args:
        path: The file, in a folder that exists; the lock is the hidden ``.<name>.lock`` beside it.

    Raises:
        LockedError: Another process has held it for half a minute.
        LinkError: The lock's name is taken by a symbolic link, which is not followed.
    """
    lock = path.with_name(f".{path.name}.lock")
    with _taken(lock, patience_s=_PATIENCE_S) as file:
        _name_owner(file)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _taken(path: Path, *, patience_s: float) -> FileIO:
    """The lock file, open and locked, and still the one that the path names."""
    end = time.monotonic() + patience_s
    while True:
        file = open(open_in_place(path), "r+b", buffering=0)  # noqa: SIM115 - the caller closes it
        try:
            _take(file, path, is_last=time.monotonic() >= end)
            if _is_still(path, file.fileno()):
                return file
        except BlockingIOError as error:
            file.close()
            if isinstance(error, LockedError):
                raise
            time.sleep(_PAUSE_S)
            continue
        except BaseException:
            file.close()
            raise
        file.close()


def _is_still(path: Path, descriptor: int) -> bool:
    # The last owner may have removed the file after we opened it and before we locked it.
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _take(file: FileIO, path: Path, *, is_last: bool) -> None:
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        if not is_last:
            raise
        raise LockedError(
            str(path.with_suffix("")),
            f"{_owner(file) or 'another process'} is writing it",
            "one writer at a time",
            "Wait for it to end, or stop it.",
        ) from error
    except OSError as error:
        error.filename = str(path)
        raise


def _owner(file: FileIO) -> str:
    """Who wrote a lock file, in words; empty where it does not say."""
    file.seek(0)
    try:
        owner = parse_object(file.read())
    except DamagedJson:
        return ""
    if not isinstance(owner.get("pid"), int):
        return ""
    return f"process {owner['pid']} on {owner.get('host', 'another machine')}"


def _name_owner(file: FileIO) -> None:
    # Into the very file that is locked, and through no name that may lead elsewhere.
    file.seek(0)
    file.truncate()
    file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
