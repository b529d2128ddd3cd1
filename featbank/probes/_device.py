"""The device that probes compute on: named once around a run, looked up by what computes."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

_asked: ContextVar[str] = ContextVar("device", default="auto")


@contextmanager
def computing_on(name: str) -> Iterator[None]:
    """What probes fit and find in this block they compute on one device.

    Args:
        name: ``auto``, CUDA where there is one; ``cpu`` or ``cuda``.
    """
    token = _asked.set(name)
    try:
        yield
    finally:
        _asked.reset(token)


def device_name() -> str:
    """What was asked for: ``auto``, ``cpu`` or ``cuda``."""
    return _asked.get()


def device() -> torch.device:
    """What was asked for, or the accelerator where there is one."""
    import torch

    name = device_name()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
