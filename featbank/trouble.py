"""What goes wrong around the work, as one line: the disk, the memory, files that may be open.

The command line and the functions of the front door pass every exception through here, and
nothing else does: a piece of the work that knows better says better itself. What is no trouble of
the machine, of its limits or of a path stays the exception that it is, with its trace: a bug.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from featbank.device import is_out_of_memory
from featbank.errors import DiskError, FeatbankError, MemoryShortError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
R = TypeVar("R")

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FEW_HANDLES = {errno.EMFILE, errno.ENFILE}
# Told wherever they stand in the chain of causes: libraries wrap them in errors of their own, and
# no bug makes them.
_OF_THE_MACHINE = {*_FULL, *_FEW_HANDLES, errno.EROFS, errno.EIO, errno.EFBIG, errno.ENOMEM}
_DO = {
    errno.ENOSPC: "Make room and repeat the command; it goes on from what is finished.",
    errno.EDQUOT: "Make room and repeat the command; it goes on from what is finished.",
    errno.EFBIG: "Raise 'ulimit -f', or write to a file system that takes larger files.",
    errno.EROFS: "Name another folder, or have the disk mounted for writing.",
    errno.EACCES: "Ask for the right to it, or name another place.",
    errno.EPERM: "Ask for the right to it, or name another place.",
    errno.EIO: "Check the disk or the network, then repeat the command.",
    errno.ESTALE: "Check the disk or the network, then repeat the command.",
    errno.ENAMETOOLONG: "Name a shorter path.",
    errno.ELOOP: "Remove the link that leads back to itself, or name another path.",
    errno.ENOTDIR: "Name a folder; one part of the path is a file.",
    errno.EISDIR: "Name a file; a folder stands there.",
    errno.EEXIST: "Move away what stands there, or name another place.",
    errno.ENOENT: "Check the path.",
    errno.EPIPE: "Repeat the command; a process that it works with has ended.",
    errno.ENOLCK: "Put the bank on a file system with locks.",
}
# What libraries that know no error numbers say of the system: torch and safetensors.
_NUMBER_IN_TEXT = re.compile(r"\[?(?:os error|errno) (\d+)\]?", re.IGNORECASE)
_MEMORY_IN_TEXT = re.compile(r"can't allocate memory|out of memory|std::bad_alloc", re.IGNORECASE)
# What torch asked the device for in vain.
_ASKED_IN_TEXT = re.compile(r"Tried to allocate ([\d.]+ \w+)")
_HANDLES_IN_TEXT = re.compile(r"too many open files", re.IGNORECASE)
# What pathlib makes of a link that leads back to itself, before Python 3.13.
_LOOP_IN_TEXT = re.compile(r"Symlink loop from '(.*)'")
_NUL_IN_TEXT = re.compile(r"embedded null (?:byte|character)")


def trouble_of(error: BaseException) -> FeatbankError | None:
    """The one line for trouble of the machine, of its limits or of a path; None for anything else.

    Args:
        error: Whatever came out of the work.
    """
    if isinstance(error, FeatbankError):
        return error
    for each in _chain(error):
        found = _of_machine(each)
        if found is not None:
            return found
    if isinstance(error, OSError):
        return _of_path(error)
    loop = _LOOP_IN_TEXT.match(str(error)) if isinstance(error, RuntimeError) else None
    if loop is not None:
        return _of_path(OSError(errno.ELOOP, os.strerror(errno.ELOOP), loop[1]))
    if isinstance(error, ValueError) and _NUL_IN_TEXT.search(str(error)):
        return UsageError(
            "a path or name", "holds a NUL byte", "text without one", "Name another path."
        )
    return None


def told(work: Callable[P, R]) -> Callable[P, R]:
    """Have a function of the front door raise a ``FeatbankError`` for trouble of the machine.

    The exception that it stands for is its cause, trace and all.
    """

    @functools.wraps(work)
    def tells(*args: P.args, **kwargs: P.kwargs) -> R:
        with telling():
            return work(*args, **kwargs)

    return tells


@contextlib.contextmanager
def telling() -> Iterator[None]:
    """As ``told``, for a block."""
    try:
        yield
    except FeatbankError:
        raise
    except Exception as error:
        found = trouble_of(error)
        if found is None:
            raise
        raise found from error


def os_error_of(error: Exception) -> OSError | None:
    """The system's error that a library tells as a number inside a text of its own."""
    found = _NUMBER_IN_TEXT.search(str(error))
    return OSError(int(found[1]), os.strerror(int(found[1]))) if found else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def _of_machine(error: BaseException) -> FeatbankError | None:
    if isinstance(error, MemoryError):
        return _memory(error)
    if isinstance(error, FeatbankError):
        return None
    if isinstance(error, ImportError) and not _may_open():
        # The import system takes a folder that it cannot open for one without the module.
        return _handles(errno.EMFILE)
    if isinstance(error, RuntimeError):
        return _of_text(error)
    if type(error).__name__ == "SafetensorError" and isinstance(error, Exception):
        error = os_error_of(error) or error
    if not isinstance(error, OSError) or error.errno not in _OF_THE_MACHINE:
        return None
    if error.errno in _FEW_HANDLES:
        return _handles(error.errno)
    return _memory(error) if error.errno == errno.ENOMEM else _of_path(error)


def _of_text(error: RuntimeError) -> FeatbankError | None:
    """What torch says in words."""
    if is_out_of_memory(error):
        return _device_memory(error)
    if _MEMORY_IN_TEXT.search(str(error)):
        return _memory(error)
    return _handles(errno.EMFILE) if _HANDLES_IN_TEXT.search(str(error)) else None


def _may_open() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in _FEW_HANDLES
    return True


def _memory(error: BaseException) -> FeatbankError:
    said = (str(error).splitlines() or [""])[0].rstrip(". ")
    return MemoryShortError(
        "memory",
        f"does not suffice ({said})" if said else "does not suffice",
        "room for what the command holds at once",
        "End other programs, or ask for less: a smaller --batch-size, --cache-gb or --limit.",
    )


def _device_memory(error: BaseException) -> FeatbankError:
    asked = _ASKED_IN_TEXT.search(str(error))
    return MemoryShortError(
        "memory of the GPU",
        f"does not suffice ({asked[1]} more were asked for)" if asked else "does not suffice",
        "room for what is computed at once",
        "Pass a smaller --batch-size, to pretrain a smaller --micro-batch, or --device cpu.",
    )


def _handles(number: int) -> FeatbankError:
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    mine = number == errno.EMFILE
    found = DiskError(
        "open files",
        f"this process may hold {limit} at once" if mine else "this machine holds its most",
        "a few hundred for a run with readers",
        "Raise the limit, such as with 'ulimit -n 4096', or pass --workers 1."
        if mine
        else "End other programs, or ask for a higher fs.file-max.",
    )
    found.errno = number
    return found


def _of_path(error: OSError) -> FeatbankError:
    paths = [
        os.fsdecode(p) for p in (error.filename, error.filename2) if isinstance(p, str | bytes)
    ]
    number = error.errno or 0
    said = error.strerror or (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    found = DiskError(
        " -> ".join(map(_short, paths)) or "the disk",
        f"cannot be used ({said})",
        _expected(number),
        _DO.get(number, "Check the path and its disk, then repeat the command."),
    )
    found.errno = error.errno
    return found


def _expected(number: int) -> str:
    if number in _FULL:
        return "a disk with room"
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "a place that you may use"
    return "a file or folder that can be used"


# Characters of a path that a line shows: a whole one where it is of any sane length.
_LONGEST_SHOWN = 300


def _short(path: str) -> str:
    if len(path) <= _LONGEST_SHOWN:
        return path
    half = _LONGEST_SHOWN // 2
    return f"{path[:half]}…{path[-half:]} ({len(path)} characters)"
