"""One process at a time for a file that is being made."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from featbank.disk import open_in_place
from featbank.downloads.space import unwritable
from featbank.errors import LinkError, LockedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path


@contextmanager
def held(path: Path) -> Iterator[FileIO]:
    """A file, open for reading and appending without a buffer, that no other process holds.

    The operating system frees it when its owner dies, however it dies.

    Args:
        path: The file; made where it is absent.

    Raises:
        LockedError: A living process holds it.
        DownloadError: It cannot be made.
    """
    while True:
        with _opened(path) as file:
            _take(file, path)
            if _is_still(path, file):
                yield file
                return


def _opened(path: Path) -> FileIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Appending, and through no link: a folder of data may come from anyone.
        descriptor = open_in_place(path)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
        return open(descriptor, "a+b", buffering=0)
    except LinkError:
        raise
    except OSError as error:
        raise unwritable(path, error) from error


def _take(file: FileIO, path: Path) -> None:
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LockedError(
            str(path),
            "another process is making it",
            "one process for a file",
            "Wait for it to end, or stop it.",
        ) from error


def _is_still(path: Path, file: FileIO) -> bool:
    # The last owner may have renamed or removed the file after we opened it.
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False
