"""The growing ``<name>.part`` of a file, and the note beside it that tells what it is a part of."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from featbank.disk import write_atomically
from featbank.downloads.checksum import Digest
from featbank.downloads.locking import held
from featbank.downloads.space import is_full, no_room, unwritable
from featbank.json_file import DamagedJson, read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO
    from pathlib import Path

    from featbank.remote import RemoteFile


class PartialFile:
    """The bytes of a file that are here so far, with their checksum.

    Args:
        file: What it becomes.
        path: The part's path.
        stream: The part, open and held.
        tell: Takes the number of bytes read while the checksum of an earlier attempt's is made.
    """

    def __init__(
        self, file: RemoteFile, path: Path, stream: FileIO, tell: Callable[[int], None]
    ) -> None:
        self._file = file
        self._path = path
        self._stream = stream
        self._note = note_path(path)
        self.digest = Digest(file)
        self.size = 0
        self.validator = ""
        self._resume(tell)

    def _resume(self, tell: Callable[[int], None]) -> None:
        note = self._read_note()
        self.validator = str(note.get("validator", ""))
        # Without either, nothing could tell that the rest belongs to another version of the file.
        is_known = bool(self.validator or self._file.checksum)
        if note.get("url") != self._file.url or not is_known:
            self.restart()
            return
        self.digest.update_from(self._stream, tell)
        self.size = self._stream.seek(0, os.SEEK_END)

    def _read_note(self) -> dict[str, object]:
        try:
            return read_object(self._note)
        except (OSError, DamagedJson):
            return {}

    def restart(self) -> None:
        """Forget the bytes."""
        self._stream.seek(0)
        self._stream.truncate()
        self.digest.restart()
        self.size = 0

    def belongs_to(self, validator: str) -> None:
        """Note which content of the address the bytes are of."""
        self.validator = validator
        note = json.dumps({"url": self._file.url, "validator": validator})
        try:
            write_atomically(self._note, note.encode())
        except OSError as error:
            if is_full(error):
                raise no_room(self._path.parent, len(note), subject=self._file.name) from error
            raise unwritable(self._note, error) from error

    def append(self, data: bytes) -> None:
        """Add further bytes.

        Raises:
            DownloadError: The disk is full, or fails.
        """
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._stream.write(rest) :]
        except OSError as error:
            if is_full(error):
                raise no_room(self._path.parent, len(data), subject=self._file.name) from error
            raise unwritable(self._path, error) from error
        self.digest.update(data)
        self.size += len(data)

    def discard(self) -> None:
        """Leave nothing behind."""
        self._note.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def finish(self, path: Path) -> None:
        """Give the whole file its name, at once and only when it is on the disk."""
        os.fsync(self._stream.fileno())
        os.replace(self._path, path)
        self._note.unlink(missing_ok=True)


def note_path(part: Path) -> Path:
    """Where the note of a part stands."""
    return part.with_name(f"{part.name}.json")


@contextmanager
def open_part(file: RemoteFile, folder: Path, tell: Callable[[int], None]) -> Iterator[PartialFile]:
    """The part of a file in a folder, from this or an earlier attempt.

    Raises:
        LockedError: Another process is downloading the file.
    """
    path = folder / f"{file.name}.part"
    with held(path) as stream:
        yield PartialFile(file, path, stream, tell)
