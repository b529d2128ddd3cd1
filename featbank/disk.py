"""Files written whole or not at all, under hidden names that tell who writes them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import socket
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.errors import FeatbankError, LinkError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTIAL = ".partial"
# .<name>.<owner>.partial, where an owner is <process>-<machine>-<start>; before that <process>.
_OWNED = re.compile(r"\.(?P<pid>\d+)(-(?P<machine>[0-9a-f]{8})-(?P<start>[0-9a-f]{8}))?\.partial$")
# Longest name that the usual file systems take (NAME_MAX of ext4, xfs, NFS).
_LONGEST_NAME = 255
# Of a process of another machine nobody here can tell whether it lives; none writes one file for
# as long as this.
_FOREIGN_S = 7 * 24 * 3600.0


def partial(path: Path) -> Path:
    """Hidden path of a file that this process is writing, in the file's own folder."""
    owner = f".{_owner(os.getpid())}{_PARTIAL}"
    stem = f".{path.name}"
    if len(os.fsencode(stem + owner)) > _LONGEST_NAME:
        stem = f".{_digest(path.name)}"
    return path.with_name(stem + owner)


def is_stray(path: Path) -> bool:
    """Whether a hidden partial file belongs to nobody any more: its writer is dead.

    Partial files of living processes are kept, of this machine and of others that share the
    folder; those of another machine are strays when nobody has written them for a week.
    """
    found = _OWNED.search(path.name)
    if found is None:
        return False
    pid, machine, start = int(found["pid"]), found["machine"], found["start"]
    if machine is not None and machine != _machine():
        with contextlib.suppress(OSError):
            return time.time() - path.lstat().st_mtime > _FOREIGN_S
        return False
    began = _start(pid)
    return began is None or start not in (None, began)


def sweep(folder: Path) -> None:
    """Remove the partial files that dead processes left in a folder."""
    for path in folder.glob(f".*{_PARTIAL}"):
        if is_stray(path):
            with contextlib.suppress(OSError):
                path.unlink()


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give the system's errors in a block the path that is written, where they name none.

    A disk that is full while a file is written does not say which.

    Args:
        path: A file, or the folder of several.

    Raises:
        OSError: As it was raised, now with a name.
    """
    try:
        yield
    except OSError as error:
        if not isinstance(error, FeatbankError) and error.errno and error.filename is None:
            error.filename = str(path)
        raise


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A hidden path that takes its true name once it is whole and on the disk.

    A link that bears the name is replaced, never followed: what it leads to is not touched.

    Args:
        path: The file, in a folder that exists.

    Raises:
        OSError: The disk is full or fails; what stood under the name stands there still.
    """
    hidden = partial(path)
    try:
        yield hidden
        flush(hidden)
        os.replace(hidden, path)
    except OSError as error:
        # What fails while it writes does not name its file, and the hidden one says nothing.
        if not isinstance(error, FeatbankError) and error.errno is not None:
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        with contextlib.suppress(OSError):
            hidden.unlink()
    flush(path.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and have the disk take it before going on.

    Raises:
        OSError: As ``written_whole``.
    """
    with written_whole(path) as hidden:
        write_new(hidden, data)


def write_new(path: Path, data: bytes) -> None:
    """Write a file at a hidden path of this process; a link that stands there is not followed."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
        file.write(data)


def open_in_place(path: Path) -> int:
    """A descriptor of a file that is read and written where it stands, made where it is absent.

    Raises:
        LinkError: A symbolic link bears the name. A bank may come from anyone, and such a link
            may lead to any file of the person who opens it.
        OSError: It cannot be opened.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP and path.is_symlink():
            raise LinkError(
                str(path),
                f"is a symbolic link to {os.readlink(path)}, and a bank's files are written in "
                "place of no other file",
                "a plain file, or none",
                "Remove the link.",
            ) from error
        raise


def flush(path: Path) -> None:
    """Have the disk take a file's bytes, or a folder's names, before going on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and user-space file systems cannot flush a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


@cache
def _owner(pid: int) -> str:
    return f"{pid}-{_machine()}-{_start(pid)}"


@cache
def _machine() -> str:
    """What numbers of processes belong to: the machine, and in a container its own count."""
    with contextlib.suppress(OSError):
        return _digest(f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}")
    return _digest(socket.gethostname())


def _start(pid: int) -> str | None:
    """When a living process began, as a digest; None where there is no such process.

    Numbers of processes are given again; the start, and the boot that it is counted from, are not.
    """
    try:
        # The name in parentheses may hold anything; starttime is the 20th field behind it.
        began = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    except (OSError, IndexError):
        return _digest("unknown") if _lives(pid) else None
    return _digest(f"{boot} {began}")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:8]
