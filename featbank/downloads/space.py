"""Room on the disk, asked before it is taken."""

from __future__ import annotations

import errno
import shutil
from typing import TYPE_CHECKING

from featbank.errors import DownloadError

if TYPE_CHECKING:
    from pathlib import Path

_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_FULL = {errno.ENOSPC, errno.EDQUOT}


def in_words(count: float) -> str:
    """Bytes in the largest fitting decimal unit.

    Example:
        >>> in_words(63_251_710_377)
        '63.3 GB'
    """
    for size, unit in _UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"


def free_bytes(folder: Path) -> int:
    """Bytes that may still be written to a folder."""
    return shutil.disk_usage(folder).free


def require_room(folder: Path, needed: int, *, subject: str) -> None:
    """Raise ``DownloadError`` where fewer than ``needed`` bytes are free."""
    if needed > free_bytes(folder):
        raise no_room(folder, needed, subject=subject)


def no_room(folder: Path, needed: int, *, subject: str) -> DownloadError:
    """The one error for a disk that is, or would be, full."""
    return DownloadError(
        subject,
        f"needs {in_words(needed)} more on the disk of {folder}, "
        f"which has {in_words(free_bytes(folder))} free",
        "room for all of it",
        "Free some, or name another folder; repeating the command goes on from there.",
    )


def unwritable(path: Path, error: OSError) -> DownloadError:
    """The one error for a file or folder that cannot be made or written, room aside."""
    return DownloadError(
        str(path),
        f"cannot be written ({error.strerror or error})",
        "a folder that may be written to",
        "Check the folder and its disk, or name another.",
    )


def is_full(error: OSError) -> bool:
    """Whether an operating system's error says that the disk or the quota is full."""
    return error.errno in _FULL
