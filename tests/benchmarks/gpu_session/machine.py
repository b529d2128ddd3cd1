"""What the machine is, and what it can do at most."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import TYPE_CHECKING

import torch

from tests.benchmarks.gpu_session.clock import seconds

if TYPE_CHECKING:
    from tests.benchmarks.gpu_session.session import Session

LIBRARIES = ("featbank", "torch", "numpy", "zarr", "transformers", "scikit-learn")


def environment(session: Session) -> None:
    """Versions and hardware."""
    found = {name: importlib.metadata.version(name) for name in LIBRARIES}
    is_cuda = session.device == "cuda"
    session.figure(
        "environment",
        python=platform.python_version(),
        cores=len(os.sched_getaffinity(0)),
        gpu=torch.cuda.get_device_name() if is_cuda else "none",
        gpus=torch.cuda.device_count() if is_cuda else 0,
        cuda=torch.version.cuda or "none",
        **found,
    )
    session.check("there is the device", not is_cuda or torch.cuda.is_available())


def ceilings(session: Session) -> None:
    """Matrix products, copies on the device, and between host and device."""
    side, device = session.sized(256, 8192), session.device
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    took = seconds(lambda: a @ b, device, repeats=session.sized(2, 30))
    session.figure("matrix product, bf16", tflops=2 * side**3 / took / 1e12)
    n_bytes = session.sized(1 << 20, 1 << 30)
    x = torch.zeros(n_bytes, dtype=torch.uint8, device=device)
    took = seconds(lambda: x.clone(), device, repeats=session.sized(2, 20))
    session.figure("copy on the device", gb_per_s=2 * n_bytes / took / 1e9)
    for kind in ("pageable", "pinned"):
        host = torch.zeros(n_bytes, dtype=torch.uint8)
        host = host.pin_memory() if kind == "pinned" and device == "cuda" else host
        took = seconds(
            lambda host=host: x.copy_(host, non_blocking=True), device, repeats=session.sized(2, 8)
        )
        session.figure(f"host to device, {kind}", gb_per_s=n_bytes / took / 1e9)
