"""Numbers on their way from the device: read once they are there, so that nobody waits for them."""

from __future__ import annotations

import torch
from torch import Tensor


class Arriving:
    """Copies that a device makes once it has come so far; on the CPU they are there at once.

    Args:
        tensors: On one device.
    """

    def __init__(self, *tensors: Tensor) -> None:
        self._hosted = tensors
        self._ready: torch.cuda.Event | None = None
        if tensors[0].device.type == "cuda":
            self._hosted = tuple(_hosted(values) for values in tensors)
            self._ready = torch.cuda.Event()  # type: ignore[no-untyped-call] # torch leaves it so
            self._ready.record()

    @property
    def are_there(self) -> bool:
        """Whether they can be read without waiting."""
        return self._ready is None or bool(self._ready.query())  # type: ignore[no-untyped-call] # as above

    def read(self) -> tuple[Tensor, ...]:
        """The numbers on the host, once they are there."""
        if self._ready is not None and not self.are_there:
            self._ready.synchronize()
        return self._hosted


def _hosted(values: Tensor) -> Tensor:
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return host.copy_(values, non_blocking=True)
