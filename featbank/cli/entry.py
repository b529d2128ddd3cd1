"""What surrounds every command: its streams, its warnings, and what becomes of its exceptions."""

from __future__ import annotations

import atexit
import contextlib
import errno
import io
import os
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, NoReturn

import click

from featbank.cli.output import tell
from featbank.errors import DiskError, FeatbankWarning
from featbank.trouble import telling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

# The libraries through which commands print.
_PRINTERS = frozenset({"click", "rich"})


@contextlib.contextmanager
def surroundings() -> Iterator[None]:
    r"""Have what a command says always print, and have warnings told as lines on stderr.

    Signs that the terminal's encoding lacks are written out (``\xe9``); what was left out or set
    aside (``FeatbankWarning``) is told in its own words alone.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.simplefilter("always", FeatbankWarning)
        # What a damaged shard makes zarr compute is told by the refusal that follows.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="zarr")
        warnings.showwarning = _showing(warnings.showwarning)
        yield


@contextlib.contextmanager
def interrupts_kept() -> Iterator[None]:
    """Have whatever an interrupt leads to end as that interrupt.

    One that comes while a library is imported may come out as any exception: some catch it and go
    on half imported, then miss what they lack.

    Raises:
        KeyboardInterrupt: The person has interrupted the command.
    """
    seen = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        signal.default_int_handler(number, frame)

    # Only the main thread may set it, and a handler of somebody else stays.
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    is_ours = is_ours and threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, note) if is_ours else None
    try:
        yield
    except Exception as error:
        if seen:
            raise KeyboardInterrupt from error
        raise
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def exceptions_told() -> Iterator[None]:
    """Turn trouble of the machine into a ``FeatbankError``, and a closed pipe into a quiet end.

    Raises:
        FeatbankError: What ``featbank.trouble`` knows, or an output that cannot be written.
        click.exceptions.Exit: Whoever read the output has closed it, as ``head`` does.
    """
    with telling():
        try:
            yield
        except OSError as error:
            if _is_of_output(error):
                _tell_of_output(error)
            raise
        try:
            sys.stdout.flush()
        except OSError as error:
            _tell_of_output(error)


def _is_of_output(error: OSError) -> bool:
    """Whether an error came up while something was printed: by a printer."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = "" if last is None else str(last.tb_frame.f_globals.get("__name__"))
    return error.filename is None and where.split(".")[0] in _PRINTERS


def _tell_of_output(error: OSError) -> None:
    close_quietly()
    if error.errno == errno.EPIPE:
        raise click.exceptions.Exit(1) from error
    raise DiskError(
        "standard output",
        f"cannot be written ({error.strerror or error})",
        "a terminal, a pipe or a file with room",
        "Send the output elsewhere.",
    ) from error


def close_quietly() -> None:
    """Keep the interpreter from writing again, at its end, to what just took nothing."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def leave(code: int) -> NoReturn:
    """End this process; in a run of several, without the interpreter's own clearing up.

    torch never joins gloo's threads once DDP or a device mesh has used them. One that lets go of a
    tensor while Python shuts down is ended inside a destructor, and the whole process is aborted
    with it, after everything is written.
    """
    # Any command ends here, so a value that is no number is no reason to fail.
    if os.environ.get("WORLD_SIZE", "") not in ("", "0", "1"):
        atexit._run_exitfuncs()
        close_quietly()
        os._exit(code)
    sys.exit(code)


def _showing(others: Callable[..., None]) -> Callable[..., None]:
    def show(message: Warning | str, category: type[Warning], *args: Any, **more: Any) -> None:  # noqa: ANN401
        if issubclass(category, FeatbankWarning):
            tell(str(message))
        else:
            others(message, category, *args, **more)

    return show
