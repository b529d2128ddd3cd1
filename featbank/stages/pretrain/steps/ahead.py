"""Work for the steps that follow, done in a thread while the device has its hands full."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
_WAIT_S = 0.1


class Ahead(Generic[T]):
    """An iterator that a thread runs: one item waits while the next one is made.

    Args:
        items: What is made; it is used in the thread alone.
        device: The GPU whose pinned memory the thread takes.

    Attributes:
        waited_s: Seconds that were spent waiting for items.
    """

    def __init__(self, items: Iterator[T], device: torch.device) -> None:
        self.waited_s = 0.0
        self._items = items
        self._device = device
        self._made: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(maxsize=1)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="featbank-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        """Items in order; what goes wrong in the thread is raised in the place of its item."""
        while True:
            start = time.perf_counter()
            item, error = self._made.get()
            self.waited_s += time.perf_counter() - start
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc] # an item may be None itself

    def close(self) -> None:
        """Stop the thread; what it has made is dropped."""
        self._is_closed.set()
        self._thread.join()

    def _run(self) -> None:
        if self._device.index is not None:
            # Each thread begins with the first GPU, and pinned memory would open it.
            torch.cuda.set_device(self._device)
        error: BaseException | None = None
        while error is None and not self._is_closed.is_set():
            item = None
            try:
                item = next(self._items)
            except BaseException as caught:  # told to who takes the items
                error = caught
            self._give(item, error)

    def _give(self, item: T | None, error: BaseException | None) -> None:
        while not self._is_closed.is_set():
            try:
                self._made.put((item, error), timeout=_WAIT_S)
            except queue.Full:
                continue
            return
