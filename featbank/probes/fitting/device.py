"""The device that probes compute on: named once around a run, looked up by what computes."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING

from featbank.device import device_of, full_float32

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

_asked: ContextVar[str] = ContextVar("device", default="auto")


@contextmanager
def computing_on(name: str) -> Iterator[None]:
    """What probes fit and find in this block they compute on one device.

    Args:
        name: ``auto``, CUDA where there is one; ``cpu`` or ``cuda``.

    Raises:
        UsageError: The environment has the GPU round float32.
    """
    token = _asked.set(name)
    place = device_of(name)
    try:
        # Torch is not imported where nothing computes on a GPU.
        with nullcontext() if place == "cpu" else full_float32(place):
            yield
    finally:
        _asked.reset(token)


def device_name() -> str:
    """What was asked for: ``auto``, ``cpu`` or ``cuda``."""
    return _asked.get()


def device() -> torch.device:
    """What was asked for, or the accelerator where there is one."""
    import torch

    return torch.device(device_of(device_name()))
