"""Writing shards on a thread of their own, one behind the device."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

from featbank.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from featbank.store.writer import Shard, StoreWriter


class ShardThread:
    """Takes finished shards and writes them in order; at most one waits.

    Args:
        writer: The store's writer.
        on_commit: Called with the shard's number after its commit.
    """

    def __init__(self, writer: StoreWriter, on_commit: Callable[[int], None]) -> None:
        self._writer = writer
        self._on_commit = on_commit
        self._queue: queue.Queue[tuple[int, Shard] | None] = queue.Queue(maxsize=1)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="shard-writer")
        self._thread.start()
        self.waited_s = 0.0

    def put(self, shard: int, buffers: Shard) -> None:
        """Hand over a finished shard.

        Raises:
            StoreError: An earlier shard could not be written.
        """
        start = time.perf_counter()
        self._queue.put((shard, buffers))
        self.waited_s += time.perf_counter() - start
        self._raise()

    def close(self) -> None:
        """Wait until everything handed over is written."""
        start = time.perf_counter()
        self._queue.put(None)
        self._thread.join()
        self.waited_s += time.perf_counter() - start
        self._raise()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if self._error is not None:
                continue
            try:
                self._writer.write(*item)
                self._on_commit(item[0])
            # Whatever it is: a thread that ended without a word would leave the caller waiting.
            except BaseException as error:
                self._error = error

    def _raise(self) -> None:
        error, self._error = self._error, None
        if isinstance(error, OSError):
            raise StoreError(
                str(self._writer.path),
                f"cannot be written ({error.strerror or error})",
                "a disk with space that can be written",
                "Make room, then repeat the command to go on.",
            ) from error
        if error is not None:
            raise error
