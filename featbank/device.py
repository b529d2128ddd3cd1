"""The device: which one, and what it must do with numbers and memory. Imports torch where asked."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.errors import UsageError

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Iterator

    import torch

DEVICES = ("auto", "cpu", "cuda")
# Has cuBLAS and cuDNN round float32 to TF32 whatever torch tells them.
_OVERRIDE = "NVIDIA_TF32_OVERRIDE"
# What libraries under torch say, each in its own way; torch's own error has a class.
_NO_MEMORY = ("CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "cudaErrorMemoryAlloc")


def pick_device(name: str) -> torch.device:
    """``auto`` takes CUDA where there is one.

    Raises:
        UsageError: No device of this name is known, or this machine has none.
    """
    import torch

    has_cuda = torch.cuda.is_available()
    if name == "auto":
        name = "cuda" if has_cuda else "cpu"
    if name not in DEVICES:
        raise UsageError(
            f"device {name}", "is no device that featbank knows", f"one of {', '.join(DEVICES)}",
            "One GPU of several is chosen by CUDA_VISIBLE_DEVICES.",
        )  # fmt: skip
    if name == "cuda" and not has_cuda:
        raise UsageError(
            "device cuda",
            _no_cuda(),
            "a GPU of NVIDIA's and a torch built for it (pytorch.org)",
            "Pass --device cpu, or leave it out.",
        )
    return torch.device(name)


def _no_cuda() -> str:
    import torch

    if torch.version.cuda is None:
        return f"torch {torch.__version__} is built without CUDA"
    return "this machine has no CUDA device that torch can use"


def require_device(name: str) -> None:
    """Refuse a device that is not there; torch is imported only where one is named.

    Raises:
        UsageError: As ``pick_device``.
    """
    if name not in ("auto", "cpu"):
        pick_device(name)


def device_of(name: str) -> str:
    """``cpu`` or ``cuda``, which ``auto`` is where this machine has it; other names as they are."""
    if name != "auto":
        return name
    # torch takes seconds to import: where there is no CUDA driver nobody needs to ask it.
    if "torch" not in sys.modules and not Path("/proc/driver/nvidia").exists():
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def use_deterministic(is_asked: bool) -> None:
    """Have torch take deterministic algorithms alone, or any.

    Args:
        is_asked: Whether it must; set before the first product on a GPU.
    """
    import torch

    if is_asked:
        # What cuBLAS must be told, which older releases of torch insist on (NVIDIA's cuBLAS
        # documentation, "Results reproducibility").
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Setting what is set already would import torch's compiler, for two seconds.
    if torch.are_deterministic_algorithms_enabled() != is_asked:
        torch.use_deterministic_algorithms(is_asked)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device, or a library on it, found no memory."""
    # By its name: torch need not be imported where an error of another kind is looked at.
    if type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(told in str(error) for told in _NO_MEMORY)


@contextlib.contextmanager
def full_float32(device: torch.device | str) -> Iterator[None]:
    """Have float32 mean float32 in a block: by default cuDNN convolves in TF32, of 10 bits.

    What was set before is set again at the end. Autocast is not touched.

    Args:
        device: Where the block computes.

    Raises:
        UsageError: The environment has NVIDIA's libraries round float32 all the same.
    """
    require_float32(str(device))
    places, name, full = _precisions()
    before = [getattr(place, name) for place in places]
    try:
        for place in places:
            setattr(place, name, full)
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            setattr(place, name, value)


def _precisions() -> tuple[tuple[Any, ...], str, object]:
    """What tells how float32 is computed, as this torch has it; a mix of both ways raises."""
    from torch import backends

    if hasattr(backends.cudnn, "conv"):
        places = (backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul)
        return places, "fp32_precision", "ieee"
    return (backends.cudnn, backends.cuda.matmul), "allow_tf32", False


def require_float32(name: str) -> None:
    """Refuse a GPU whose libraries are told to round float32 all the same.

    Args:
        name: Of a device, or ``auto``.

    Raises:
        UsageError: They are, by the environment.
    """
    if os.environ.get(_OVERRIDE, "0") not in ("", "0") and device_of(name) != "cpu":
        raise UsageError(
            f"{_OVERRIDE}={os.environ[_OVERRIDE]}",
            "has the GPU's libraries round float32 to TF32, which changes features and neighbours",
            "float32 as it is",
            f"Unset it: env -u {_OVERRIDE} featbank …",
        )


def page_locked(memory: mmap.mmap) -> Callable[[], None]:
    """Have CUDA copy from some memory as it lies, without a copy into memory of its own first.

    Args:
        memory: Any; where the system does not let it be locked, nothing is done.

    Returns:
        What undoes it, called before the memory goes.
    """
    import numpy as np
    import torch

    runtime = torch.cuda.cudart()  # type: ignore[no-untyped-call] # torch leaves it untyped
    address = np.frombuffer(memory, dtype=np.uint8).ctypes.data
    if int(runtime.cudaHostRegister(address, len(memory), 0)):
        # CUDA keeps the error and tells it after the next kernel, whatever that is: of this one.
        with contextlib.suppress(RuntimeError):
            torch.zeros(1, device="cuda")
        return lambda: None

    def undo() -> None:
        # A run that ends early may have copies on their way; one that an error of the device ends
        # has none, and is told of that error, not of this.
        with contextlib.suppress(RuntimeError):
            torch.cuda.synchronize()
        runtime.cudaHostUnregister(address)

    return undo
