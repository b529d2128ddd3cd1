"""In which environment something was computed, for run logs and checkpoints."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


def environment(device: torch.device, batch_size: int, *, compiled: bool) -> dict[str, Any]:
    """What may change a feature's last bits, for the run log.

    Args:
        device: Where the network runs.
        batch_size: Chips of one pass.
        compiled: Whether its blocks are compiled.
    """
    from importlib.metadata import version

    import torch

    is_cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if is_cuda else "cpu",
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "featbank": version("featbank"),
        "batch_size": batch_size,
        "compiled": compiled,
        "threads": torch.get_num_threads(),
    }


def peak_memory(device: torch.device) -> dict[str, int]:
    """The most memory so far, in bytes: of this process without its readers, and of the device.

    Returns:
        ``peak_bytes``, and of CUDA ``peak_device_bytes``, what torch held for tensors.
    """
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {"peak_bytes": kilobytes * 1024}
    if device.type == "cuda":
        import torch

        found["peak_device_bytes"] = torch.cuda.max_memory_allocated(device)
    return found
