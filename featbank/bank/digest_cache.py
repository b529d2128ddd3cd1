"""SHA-256 of image files, remembered by path and stamp, so that unchanged files are not read again.

Only a cache: whatever is wrong with it (damaged, locked, read-only, no space) costs time and
nothing else. A file edited within its size and with its time set back still has another change
time, which no program can set; so that is part of the stamp.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import zlib
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FILE_NAME = "digests.sqlite"
# Raised with every change of the table.
_FORMAT = 1
# Bound below the 999 variables that old builds of SQLite take.
_ASKED_AT_ONCE = 500
# How long another process of the bank may hold the file before this one does without.
_PATIENCE_S = 5.0
# Two changes within one tick of a file system's clock leave one stamp: 10 ms on Linux; 2 s on file
# systems that keep whole seconds (FAT, HFS+), whose stamps end in zeros.
_TICK_NS, _COARSE_TICK_NS = 50_000_000, 2_000_000_000
_SECOND_NS = 1_000_000_000
_CREATE = (
    "CREATE TABLE IF NOT EXISTS digests"
    " (path BLOB PRIMARY KEY, stamp TEXT, sha256 TEXT, seal INTEGER) WITHOUT ROWID"
)


class Stamp(NamedTuple):
    """What tells that a file has not changed.

    Attributes:
        size: Bytes.
        mtime_ns: When its contents changed, as programs say.
        ctime_ns: When its contents or its entry changed, as the file system says.
        inode: Which file it is.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, told: os.stat_result) -> Self:
        """The stamp that a file system tells."""
        return cls(told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino)

    def is_settled(self, now_ns: int) -> bool:
        """Whether a change from now on would leave another stamp."""
        newest = max(self.mtime_ns, self.ctime_ns)
        tick = _TICK_NS if self.ctime_ns % _SECOND_NS else _COARSE_TICK_NS
        return newest + tick < now_ns

    def __str__(self) -> str:
        return " ".join(map(str, self))


class Kept(NamedTuple):
    """What the cache remembers of one file.

    Attributes:
        stamp: Its stamp as text.
        sha256: Its digest.
    """

    stamp: str
    sha256: str


class DigestCache:
    """The digests that a bank remembers.

    Args:
        root: The bank's folder.
        may_write: Whether new digests are kept; a rehearsal keeps none.
    """

    def __init__(self, root: Path, *, may_write: bool) -> None:
        self._path = root / FILE_NAME
        self._may_write = may_write
        self._connection = self._opened()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()

    def find(self, paths: Sequence[str]) -> dict[str, Kept]:
        """What is remembered of some files, by path."""
        by_key = {os.fsencode(path): path for path in paths}
        return {
            by_key[key]: Kept(stamp, sha256)
            for key, stamp, sha256, seal in self._rows(list(by_key))
            if seal == _seal(key, stamp, sha256)
        }

    def keep(self, found: Iterable[tuple[str, Stamp, str]]) -> None:
        """Remember digests of files; the last of a path counts."""
        if self._connection is None or not self._may_write:
            return
        rows = []
        for path, stamp, sha256 in found:
            key, text = os.fsencode(path), str(stamp)
            rows.append((key, text, sha256, _seal(key, text, sha256)))
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?)", rows
                )
        except sqlite3.Error:
            self._connection = None

    def _rows(self, keys: list[bytes]) -> Iterable[tuple[bytes, str, str, int]]:
        for start in range(0, len(keys), _ASKED_AT_ONCE):
            asked = keys[start : start + _ASKED_AT_ONCE]
            marks = ",".join("?" * len(asked))
            query = f"SELECT path, stamp, sha256, seal FROM digests WHERE path IN ({marks})"
            try:
                rows = self._connection.execute(query, asked).fetchall() if self._connection else []
            except sqlite3.Error:
                self._connection = None
                return
            yield from rows

    def _opened(self) -> sqlite3.Connection | None:
        if not self._may_write and not self._path.exists():
            return None
        # What a copied bank points elsewhere is never written to.
        if any(path.is_symlink() for path in (self._path, _journal(self._path))):
            return None
        try:
            return self._connected()
        except sqlite3.OperationalError:
            # Locked, read-only, no such folder, no space: a file that is good, but not now.
            return None
        except sqlite3.DatabaseError:
            return self._rebuilt()

    def _connected(self) -> sqlite3.Connection:
        if not self._may_write:
            place = f"{self._path.absolute().as_uri()}?mode=ro"
            return self._checked(sqlite3.connect(place, uri=True))
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._checked(sqlite3.connect(self._path, timeout=_PATIENCE_S))

    def _checked(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, _FORMAT):
                raise sqlite3.DatabaseError("another format")
            # Flushing to disk would take longer than reading small files; a file that a power cut
            # tears is rebuilt.
            connection.execute("PRAGMA synchronous = OFF")
            if version == 0 and self._may_write:
                with connection:
                    connection.execute(_CREATE)
                    connection.execute(f"PRAGMA user_version = {_FORMAT}")
            connection.execute("SELECT path, stamp, sha256, seal FROM digests LIMIT 1").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _rebuilt(self) -> sqlite3.Connection | None:
        if not self._may_write:
            return None
        with contextlib.suppress(OSError, sqlite3.Error):
            for path in (self._path, _journal(self._path)):
                path.unlink(missing_ok=True)
            return self._connected()
        return None


def _journal(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


def _seal(key: bytes, stamp: object, sha256: object) -> int:
    # SQLite checks no page of its file; a flipped bit must not become another identity.
    return zlib.crc32(b"\0".join((key, str(stamp).encode(), str(sha256).encode())))
