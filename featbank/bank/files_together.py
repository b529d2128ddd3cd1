"""Several files of one folder written together: all of them change, or none."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class FilesTogether:
    """Files of a folder under hidden names, until all of them are whole.

    Args:
        folder: A folder that exists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []
        self._had: dict[str, bool] = {}

    def __call__(self, name: str) -> Path:
        """Hidden path of a file."""
        if name not in self._names:
            self._names.append(name)
        return self._folder / f".{name}.{os.getpid()}.partial"

    def has(self, name: str) -> bool:
        """Whether such a file was begun."""
        return name in self._names

    def give_names(self) -> None:
        """Flush all, then rename all in the order they were begun; undo it where one fails."""
        for name in self._names:
            flush(self(name))
        done: list[str] = []
        try:
            for name in self._names:
                self._keep(name)
                os.replace(self(name), self._folder / name)
                done.append(name)
        except BaseException:
            for name in done:
                self._restore(name)
            raise

    def _kept(self, name: str) -> Path:
        return self._folder / f".{name}.{os.getpid()}.former"

    def _keep(self, name: str) -> None:
        self._kept(name).unlink(missing_ok=True)
        self._had[name] = (self._folder / name).exists()
        # Some network and user-space file systems know no hard links: there is no way back there.
        with contextlib.suppress(OSError):
            os.link(self._folder / name, self._kept(name))

    def _restore(self, name: str) -> None:
        if self._kept(name).exists():
            os.replace(self._kept(name), self._folder / name)
        elif not self._had[name]:
            (self._folder / name).unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove whatever hidden files are left."""
        for name in self._names:
            self(name).unlink(missing_ok=True)
            self._kept(name).unlink(missing_ok=True)


@contextlib.contextmanager
def files_together(folder: Path) -> Iterator[FilesTogether]:
    """Write several files of a folder so that all of them change, or none.

    Args:
        folder: A folder that exists.
    """
    # A process that was killed leaves its hidden files behind.
    for stray in folder.glob(".*.partial"):
        stray.unlink(missing_ok=True)
    hidden = FilesTogether(folder)
    try:
        yield hidden
    finally:
        hidden.clean()


def flush(path: Path) -> None:
    """Have the disk take a file's bytes, or a folder's names, before going on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
