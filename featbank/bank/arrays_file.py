"""Arrays by name as one safetensors file, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.disk import write_atomically

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
    from safetensors.numpy import save

    # Bytes written by Python raise OSError on a full disk; the library's own writer has other
    # names for it, and gives its files to their owner alone.
    write_atomically(path, save({name: np.asarray(a, order="C") for name, a in arrays.items()}))


def read_arrays(path: Path) -> dict[str, Array] | None:
    """Arrays by name; None where the file does not load."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays: dict[str, Array] = load_file(path)
    except (SafetensorError, KeyError, TypeError, ValueError):
        # KeyError: a type that the library knows and NumPy does not, such as BF16.
        return None
    except OSError as error:
        # Without a number it tells of the file's bytes, not of the disk.
        if error.errno is not None:
            raise
        return None
    return arrays
