"""The device's library: compiled once, and loaded before PyTorch asks for its devices."""

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("guard.cpp")


def torch_folder():
    return Path(importlib.util.find_spec("torch").origin).parent


def unavailable():
    """Why there can be no fake device here; '' where there can."""
    version = (torch_folder() / "version.py").read_text()
    if "cuda: Optional[str] = None" not in version:
        return "this PyTorch is built for CUDA: its own device is tested"
    if not (shutil.which("g++") and sys.platform == "linux"):
        return "no g++ to compile the fake device with"
    return ""


def library():
    """Path of the compiled library; one process compiles, the others wait for it."""
    told = SOURCE.read_bytes() + (torch_folder() / "version.py").read_bytes()
    name = f"featbank-fake-gpu-{os.getuid()}-{hashlib.sha256(told).hexdigest()[:12]}.so"
    path = Path(tempfile.gettempdir()) / name
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _compile(path)
    return path


def _compile(path):
    folder, made = torch_folder(), path.with_suffix(f".{os.getpid()}")
    subprocess.run(
        ["g++", "-std=c++20", "-O1", "-fPIC", "-shared", f"-I{folder / 'include'}", str(SOURCE),
         "-o", str(made), f"-L{folder / 'lib'}", "-lc10", "-ltorch_cpu"],
        check=True,
    )  # fmt: skip
    made.replace(path)


def load():
    """Register the device; PyTorch must not be imported yet.

    PyTorch asks once whether there is a CUDA device, and remembers the answer.
    """
    if "torch" in sys.modules:
        raise RuntimeError("PyTorch is imported already")
    for name in ("libc10.so", "libtorch_cpu.so"):
        ctypes.CDLL(str(torch_folder() / "lib" / name), mode=ctypes.RTLD_GLOBAL)
    ctypes.CDLL(str(library()))
