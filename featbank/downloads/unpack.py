"""Unpacking an archive: nothing outside its folder, nothing half done under its own name."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.downloads.archives import (
    FILE,
    FOLDER,
    LINK,
    Member,
    damaged,
    declared_bytes,
    members,
    reading,
)
from featbank.downloads.locking import held
from featbank.downloads.placing import place
from featbank.downloads.space import free_bytes, in_words, is_full, no_room, require_room
from featbank.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Imagery of this field shrinks at most some tens of times (Reference_Maps.tar.zst: about 50);
# what grows more than this is made to fill disks. Small archives may be mostly padding.
_LARGEST_GROWTH = 200
_HARMLESS_BYTES = 1_000_000_000
_CHUNK_BYTES = 1 << 20


def unpack(
    archive: Path,
    folder: Path,
    *,
    last: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Unpack an archive into a folder, whole or not at all.

    Members are written to a hidden folder first and then moved into place, so that what stands
    under its own name is whole; a run that was cut off starts again. No member leaves the folder,
    links become hard links to the files that they name, and owners and modes are not taken over.

    Args:
        archive: A zip file, or a tar file, plain or compressed with gzip, bzip2 or Zstandard.
        folder: Where to.
        last: Path inside the folder whose presence tells that all is there; moved last.
        progress: Takes the archive's bytes done and in all.

    Returns:
        What the archive brought, its top-level entries.

    Raises:
        DownloadError: The archive is damaged, unsafe, too large for the disk, or clashes with what
            is there.
        LockedError: Another process is unpacking it.
    """
    with _staging(archive, folder) as staging:
        declared = declared_bytes(archive)
        if declared is not None:
            _require_honest(archive, declared)
            require_room(folder, declared, subject=archive.name)
        with reading(archive):
            _extract(archive, staging, progress)
        return place(staging, folder, last=last)


@contextmanager
def _staging(archive: Path, folder: Path) -> Iterator[Path]:
    staging = folder / f".{archive.name}.unpacking"
    lock = staging.with_name(f"{staging.name}.lock")
    with held(lock):
        try:
            # Of a run that was cut off.
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            lock.unlink(missing_ok=True)


def _extract(archive: Path, staging: Path, progress: Callable[[int, int], None] | None) -> None:
    size = archive.stat().st_size
    unpacked = 0
    links: list[Member] = []
    for member in members(archive, lambda done: progress(done, size) if progress else None):
        unpacked += member.size
        _require_honest(archive, unpacked)
        try:
            _write(member, archive, staging, links)
        except OSError as error:
            # Without a number it tells of the archive's bytes, not of the disk.
            if isinstance(error, DownloadError) or error.errno is None:
                raise
            raise _unwritten(member, archive, staging, error) from error
    for link in links:
        _link(link, archive, staging)


def _write(member: Member, archive: Path, staging: Path, links: list[Member]) -> None:
    path = staging / _inside(member.name, member, archive)
    if member.kind == FOLDER:
        path.mkdir(parents=True, exist_ok=True)
    elif member.kind == FILE:
        _copy(member, path, archive, staging)
    elif member.kind == LINK:
        links.append(member)
    else:
        raise _unsafe(member, archive, "is neither a file, a folder nor a link to a file")


def _copy(member: Member, path: Path, archive: Path, staging: Path) -> None:
    if member.size > free_bytes(staging.parent):
        raise no_room(staging.parent, member.size, subject=f"{archive.name}, {member.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with path.open("xb") as file:
        while member.stream is not None and (data := member.stream.read(_CHUNK_BYTES)):
            written += len(data)
            if written > member.size:
                break
            file.write(data)
    if written != member.size:
        raise damaged(
            archive, f"{member.name} has {written} bytes where {member.size} are declared"
        )


def _link(member: Member, archive: Path, staging: Path) -> None:
    target = staging / _inside(member.target, member, archive)
    path = staging / _inside(member.name, member, archive)
    # There is no symbolic link inside, so this looks at nothing outside.
    if not target.is_file():
        raise _unsafe(member, archive, f"links to '{member.target}', which is no file inside")
    path.parent.mkdir(parents=True, exist_ok=True)
    os.link(target, path)


def _inside(name: str, member: Member, archive: Path) -> Path:
    """A path below the folder, or an error: never absolute, never upwards."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    is_absolute = name.startswith(("/", "\\")) or (bool(parts) and parts[0].endswith(":"))
    if is_absolute or ".." in parts or "\0" in name:
        raise _unsafe(member, archive, f"leads to '{name}', outside the folder")
    return Path(*parts)


def _unsafe(member: Member, archive: Path, found: str) -> DownloadError:
    return DownloadError(
        f"{archive}, member '{member.name}'",
        found,
        "files and folders below the archive's own folder",
        "Nothing was unpacked; do not trust this archive.",
    )


def _unwritten(member: Member, archive: Path, staging: Path, error: OSError) -> DownloadError:
    if is_full(error):
        return no_room(staging.parent, member.size, subject=f"{archive.name}, {member.name}")
    return DownloadError(
        f"{archive}, member '{member.name}'",
        f"cannot be written ({error.strerror or error})",
        "names that this disk takes, each once",
        "Nothing was unpacked; check the disk, or unpack the archive by hand.",
    )


def _require_honest(archive: Path, unpacked: int) -> None:
    if unpacked <= max(_HARMLESS_BYTES, _LARGEST_GROWTH * archive.stat().st_size):
        return
    raise DownloadError(
        str(archive),
        f"holds {in_words(archive.stat().st_size)} that unpack to {in_words(unpacked)} and more",
        f"at most {_LARGEST_GROWTH} times its size",
        "Nothing was unpacked; do not trust this archive.",
    )
