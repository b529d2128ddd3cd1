"""Arrays by name as one safetensors file, whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featbank.image import Array


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays of numbers.

    Args:
        path: In a folder that exists.
        arrays: By name.
    """
    from safetensors.numpy import save_file

    hidden = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        hidden.touch()
        mode = hidden.stat().st_mode
        save_file({name: np.asarray(a, order="C") for name, a in arrays.items()}, hidden)
        # The library gives its files to their owner alone; a bank may be shared.
        hidden.chmod(mode)
        os.replace(hidden, path)
    finally:
        hidden.unlink(missing_ok=True)


def read_arrays(path: Path) -> dict[str, Array] | None:
    """Arrays by name; None where the file does not load."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays: dict[str, Array] = load_file(path)
    except (SafetensorError, OSError):
        return None
    return arrays
