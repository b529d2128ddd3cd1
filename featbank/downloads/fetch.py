"""Fetching one file: resumed where it was cut off, checked, and never left half under its name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from featbank.downloads.answer import PassingError, ask
from featbank.downloads.checksum import CHUNK_BYTES, Digest
from featbank.downloads.part import PartialFile, open_part
from featbank.downloads.space import in_words, require_room
from featbank.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.downloads.answer import Answer
    from featbank.remote import RemoteFile

    Progress = Callable[[int, int | None], None]

# Five attempts in a row without one new byte, half a minute in all: longer than a server's
# restart, shorter than a person's patience.
_WAITS_S = (1.0, 3.0, 9.0, 18.0)


def fetch(file: RemoteFile, folder: Path, *, progress: Progress | None = None) -> Path:
    """Fetch a file into a folder, or finish what was cut off.

    The bytes grow in ``<name>.part``; only a whole file with the right size and checksum gets the
    name itself. A file that is there already is checked, not fetched.

    Args:
        file: What to fetch.
        folder: Where to; made where it is absent.
        progress: Takes bytes done and in all; the latter None where nobody knows.

    Returns:
        The file's path.

    Raises:
        DownloadError: The address does not give the file, the connection kept breaking, the disk
            has no room, or the content is not the publisher's.
        LockedError: Another process is downloading the file.
    """
    path = folder / file.name
    tell = progress or _silent
    if path.exists():
        _require_whole(file, path, tell)
        return path
    with open_part(file, folder, lambda done: tell(done, file.size_bytes)) as part:
        # Another process may have finished it while this one waited to look.
        if not path.exists():
            _complete(file, part, folder, tell)
            _require_content(file, part)
            part.finish(path)
        else:
            part.discard()
    return path


def _silent(done: int, total: int | None) -> None:
    """Nobody watches."""


def _complete(file: RemoteFile, part: PartialFile, folder: Path, tell: Progress) -> None:
    waits = list(_WAITS_S)
    furthest = part.size
    while not _is_complete(file, part):
        try:
            _attempt(file, part, folder, tell)
        except PassingError as error:
            if part.size > furthest:
                furthest, waits = part.size, list(_WAITS_S)
            if not waits:
                raise _gave_up(file, part, error) from error
            time.sleep(max(waits.pop(0), error.pause_s))
        else:
            return


def _is_complete(file: RemoteFile, part: PartialFile) -> bool:
    return bool(file.checksum) and part.size > 0 and part.size == file.size_bytes


def _attempt(file: RemoteFile, part: PartialFile, folder: Path, tell: Progress) -> None:
    """One request; returns only when all bytes are here."""
    with ask(file, part.size, part.validator) as answer:
        if not _goes_on(answer, part):
            part.restart()
            raise PassingError("has no such part of the file")
        total = file.size_bytes if answer.total is None else answer.total
        _require_size(file, part, total)
        if answer.start != part.size:
            part.restart()
        part.belongs_to(answer.validator or part.validator)
        if total is not None:
            require_room(folder, total - part.size, subject=file.name)
        tell(part.size, total)
        # Read no further than it takes to see that a stream is longer than the file.
        while (total is None or part.size <= total) and (data := answer.read(CHUNK_BYTES)):
            part.append(data)
            tell(part.size, total)
    if total is not None and part.size < total:
        raise PassingError(f"the connection ended after {part.size} of {total} bytes")


def _goes_on(answer: Answer, part: PartialFile) -> bool:
    """Whether an answer fits the bytes that are here."""
    if answer.stream is None:
        return answer.total == part.size
    # A server may ignore If-Range; its validator then tells that the content is another one.
    is_other = "" not in (answer.validator, part.validator) and answer.validator != part.validator
    return answer.start == 0 or not is_other


def _require_size(file: RemoteFile, part: PartialFile, total: int | None) -> None:
    if None in (total, file.size_bytes) or total == file.size_bytes:
        return
    part.discard()
    raise DownloadError(
        file.url,
        f"gives a file of {total} bytes",
        f"{file.size_bytes} bytes",
        "The publisher may have replaced it: see whether a newer featbank knows the new one.",
    )


def _require_content(file: RemoteFile, part: PartialFile) -> None:
    if file.size_bytes is not None and part.size != file.size_bytes:
        found, expected = f"{part.size} bytes", f"{file.size_bytes} bytes"
    elif not part.digest.fits:
        found, expected = f"checksum {part.digest.found}", file.checksum
    else:
        return
    part.discard()
    raise DownloadError(
        file.url,
        f"gave a file with {found}",
        expected,
        "Nothing was kept; repeat the command to fetch it anew.",
    )


def _require_whole(file: RemoteFile, path: Path, tell: Progress) -> None:
    size = path.stat().st_size
    digest = Digest(file)
    with path.open("rb") as stream:
        digest.update_from(stream, lambda done: tell(done, size))
    has_size = file.size_bytes in (None, size)
    if has_size and digest.fits:
        return
    raise DownloadError(
        str(path),
        f"has checksum {digest.found}" if has_size else f"has {size} bytes",
        file.checksum if has_size else f"{file.size_bytes} bytes",
        "Delete it to fetch it anew.",
    )


def _gave_up(file: RemoteFile, part: PartialFile, error: PassingError) -> DownloadError:
    return DownloadError(
        file.url,
        f"{error}, {len(_WAITS_S) + 1} times in a row",
        "the whole file",
        f"{in_words(part.size)} are kept: repeat the command to go on from there.",
    )
