"""Several files of one folder written together: all of them change, or none."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from featbank.disk import flush, naming, partial, sweep

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
        return partial(self._folder / name)

    def has(self, name: str) -> bool:
        """Whether such a file was begun."""
        return name in self._names

    def give_names(self) -> None:
        """Flush all, then rename all in the order they were begun; undo it where one fails.

        A link that bears a name is replaced, never followed.
        """
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
        # Of the kind that a later run sweeps when this process is gone.
        return partial(self._folder / f"{name}.former")

    def _keep(self, name: str) -> None:
        self._kept(name).unlink(missing_ok=True)
        self._had[name] = os.path.lexists(self._folder / name)
        # Some network and user-space file systems know no hard links: there is no way back there.
        with contextlib.suppress(OSError):
            os.link(self._folder / name, self._kept(name), follow_symlinks=False)

    def _restore(self, name: str) -> None:
        if os.path.lexists(self._kept(name)):
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
    # A process that was killed leaves its hidden files behind; those of living ones stay.
    sweep(folder)
    hidden = FilesTogether(folder)
    try:
        with naming(folder):
            yield hidden
    finally:
        hidden.clean()
