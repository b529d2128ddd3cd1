"""Reader processes that run ahead of the device by a bounded number of batches."""

from __future__ import annotations

import errno
import mmap
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import Pipe
from typing import TYPE_CHECKING, NoReturn, Self

from featbank.device import page_locked
from featbank.errors import ReadError
from featbank.inputs.reader_process import PlacedBatch, PlacedGroup, SharedArray
from featbank.inputs.reading import Group, ReadBatch, read_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

    from featbank.image import Reader
    from featbank.inputs.contract import Contract

# One slot is read by the device while the next one is filled; a third hides a slow file.
_SLOTS = 3
_STOP_S = 5.0
# What a file system answers that has no room for the slots, or cannot reserve any.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP, errno.EINVAL, errno.EFBIG})
_SHARED_MEMORY = "/dev/shm"
_ENTRY = "from featbank.inputs.reader_process import main"


@dataclass(frozen=True, kw_only=True)
class PoolConfig:
    """How a pool reads.

    Attributes:
        reader: Gives pixels by row; pickled to the processes.
        contract: What each chip must keep.
        workers: Reader processes; 0 reads in this process.
        slot_bytes: Bytes of a typical batch; larger ones travel through the pipe, slower.
        is_locked: Whether a CUDA device copies from the slots as they lie.
        tell: Takes a line where shared memory has no room, and pixels travel through the pipe.
    """

    reader: Reader
    contract: Contract
    workers: int
    slot_bytes: int
    is_locked: bool = False
    tell: Callable[[str], None] = lambda _: None


class ReaderPool:
    """Reads batches in order, ahead of who takes them.

    Args:
        config: How to read.
    """

    def __init__(self, config: PoolConfig) -> None:
        self._config = config
        self._workers = [_Worker(config) for _ in range(config.workers)]
        self.waited_s = 0.0
        self._tell_of_pipes()

    def _tell_of_pipes(self) -> None:
        piped = sum(not worker.has_slots for worker in self._workers)
        if not piped:
            return
        wanted = self._config.slot_bytes * _SLOTS * len(self._workers) / 2**20
        self._config.tell(
            f"{_SHARED_MEMORY} has no room for the {wanted:.0f} MiB that readers share with the "
            f"run, so {piped} of {len(self._workers)} send pixels through a pipe, more slowly; "
            "enlarge it (docker run --shm-size) or lower --workers or --batch-size"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, batches: Iterable[Sequence[int]]) -> Iterator[ReadBatch]:
        """Read batches of rows, in order.

        A batch's arrays may lie in shared memory: they hold until the next batch but one is taken,
        so that a device may still copy a batch while the next one is submitted.

        Raises:
            ReadError: The disk failed, or a reader process died.
        """
        if not self._workers:
            yield from self._read_here(batches)
            return
        waiting: deque[_Worker] = deque()
        queue = enumerate(batches)
        ahead = _SLOTS * len(self._workers)
        more = self._submit(queue, waiting, ahead - 1)
        while waiting:
            yield self._receive(waiting.popleft())
            more = more and self._submit(queue, waiting, 1)

    def _read_here(self, batches: Iterable[Sequence[int]]) -> Iterator[ReadBatch]:
        for indices in batches:
            start = time.perf_counter()
            batch = read_batch(self._config.reader, indices, self._config.contract)
            self.waited_s += time.perf_counter() - start
            yield batch

    def _submit(
        self, queue: Iterator[tuple[int, Sequence[int]]], waiting: deque[_Worker], count: int
    ) -> bool:
        for _ in range(count):
            numbered = next(queue, None)
            if numbered is None:
                return False
            worker = self._workers[numbered[0] % len(self._workers)]
            worker.submit(numbered[1])
            waiting.append(worker)
        return True

    def _receive(self, worker: _Worker) -> ReadBatch:
        start = time.perf_counter()
        batch = worker.receive()
        self.waited_s += time.perf_counter() - start
        return batch

    def close(self) -> None:
        """Stop the reader processes, each of them whatever another one raises."""
        with ExitStack() as stack:
            for worker in self._workers:
                stack.callback(worker.close)
        self._workers = []


class _Worker:
    """One reader process with its slots of shared memory."""

    def __init__(self, config: PoolConfig) -> None:
        self._submitted = 0
        # An unnamed file leaves nothing behind, however either process ends.
        with tempfile.TemporaryFile(dir=_shared_folder()) as file:
            self.has_slots = _reserve(file.fileno(), config.slot_bytes * _SLOTS)
            self._slot_bytes = config.slot_bytes if self.has_slots else 0
            size = max(self._slot_bytes * _SLOTS, mmap.PAGESIZE)
            file.truncate(size)
            self._memory = mmap.mmap(file.fileno(), size)
            self._unlock = page_locked(self._memory) if config.is_locked else _nothing
            self._connection, theirs = Pipe()
            self._process = _start(theirs.fileno(), file.fileno())
            theirs.close()
            self._connection.send((_import_path(), file.fileno(), size))
            self._connection.send_bytes(pickle.dumps((config.reader, config.contract)))

    def submit(self, indices: Sequence[int]) -> None:
        slot = self._submitted % _SLOTS
        self._submitted += 1
        try:
            self._connection.send((list(indices), slot * self._slot_bytes, self._slot_bytes))
        except OSError:
            self._died()

    def receive(self) -> ReadBatch:
        try:
            answer: PlacedBatch | ReadError | str = self._connection.recv()
        except (EOFError, OSError):
            self._died()
        if isinstance(answer, ReadError):
            raise answer
        if isinstance(answer, str):
            raise RuntimeError(f"a reader process failed:\n{answer}")  # noqa: TRY004 - a bug's trace
        groups = [self._shared(group) for group in answer.groups]
        return ReadBatch(groups, answer.refused, answer.shares)

    def _shared(self, group: PlacedGroup) -> Group:
        grids, missing = (
            {
                name: array.view(self._memory) if isinstance(array, SharedArray) else array
                for name, array in placed.items()
            }
            for placed in (group.grids, group.missing)
        )
        return Group(group.rows, grids, missing, group.absent)

    def _died(self) -> NoReturn:
        code = self._process.wait(_STOP_S)
        raise ReadError(
            f"reader process {self._process.pid}",
            f"ended unexpectedly (exit code {code})",
            "a process that lives until the run ends",
            "Check the memory and the messages above, then repeat the command to go on.",
        )

    def close(self) -> None:
        try:
            self._unlock()
        finally:
            self._connection.close()
            self._end()

    def _end(self) -> None:
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _nothing() -> None:
    pass


def _shared_folder() -> str | None:
    return _SHARED_MEMORY if os.path.isdir(_SHARED_MEMORY) else None


def _reserve(descriptor: int, size: int) -> bool:
    """Whether a file's bytes are set aside.

    Without that, a process that touches a page for which there is no room dies of a bus error.
    """
    if not hasattr(os, "posix_fallocate"):
        return True
    try:
        os.posix_fallocate(descriptor, 0, max(size, mmap.PAGESIZE))
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        os.ftruncate(descriptor, 0)
        return False
    return True


def _import_path() -> list[str]:
    """Where this process imports from, less the folder that the user stands in."""
    here = os.path.realpath(os.getcwd())
    return [path for path in sys.path if path and os.path.realpath(path) != here]


def _start(pipe_fd: int, memory_fd: int) -> subprocess.Popen[bytes]:
    # A reader decodes on one thread; more would fight the device's own threads.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(_import_path())
    # -P keeps the folder that the user stands in off the path, whose files are not ours to run.
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"{_ENTRY}; main({pipe_fd})"],
        pass_fds=(pipe_fd, memory_fd),
        stdin=subprocess.DEVNULL,
        env=environment,
    )
