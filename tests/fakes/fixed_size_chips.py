"""Folders of TIFF chips whose files are of one size, whatever they hold, and edits of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tifffile

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 16


def pixels_of(seed: int) -> np.ndarray:
    """(H, W, 3) of one chip."""
    return np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)


def write_chip(path: Path, seed: int) -> None:
    """One chip, uncompressed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, pixels_of(seed), photometric="rgb", metadata=None)


def write_folder(root: Path, *, chips: int = 8, classes: int = 2, first_seed: int = 0) -> Path:
    """Class folders of chips; equal arguments give equal bytes."""
    for label in range(classes):
        for number in range(chips):
            seed = first_seed + label * chips + number
            write_chip(root / f"class{label}" / f"{number:02d}.tif", seed)
    return root
