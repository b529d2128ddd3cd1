"""Copies between host and device, on streams of their own, beside the kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor


class Transfers:
    """One stream each way, which the kernels' stream waits for and makes wait; the host never does.

    Args:
        device: A CUDA device.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        stream: Callable[..., torch.cuda.Stream] = torch.cuda.Stream
        self._in, self._out = stream(device), stream(device)

    def to_device(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Copies that kernels queued from now on find whole.

        Args:
            tensors: On the host, in native dtype; memory that is not page-locked is copied into
                such memory first. They must stay as they are until a kernel that follows is done.
        """
        with torch.cuda.stream(self._in):
            moved = {
                name: _locked(values).to(self._device, non_blocking=True)
                for name, values in tensors.items()
            }
        kernels = torch.cuda.current_stream(self._device)
        kernels.wait_stream(self._in)
        for values in moved.values():
            # Their memory belongs to the other stream, which must not use it again too early.
            values.record_stream(kernels)
        return moved

    def to_host(self, tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], torch.cuda.Event]:
        """Copies of what the kernels queued so far compute, and an event after them."""
        self._out.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._out):
            hosted = {name: self._hosted(values) for name, values in tensors.items()}
            ready = torch.cuda.Event()  # type: ignore[no-untyped-call] # torch leaves it untyped
            ready.record(self._out)
        return hosted, ready

    def _hosted(self, values: Tensor) -> Tensor:
        host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
        host.copy_(values, non_blocking=True)
        values.record_stream(self._out)
        return host


def _locked(values: Tensor) -> Tensor:
    return values if values.is_pinned() else values.pin_memory()
