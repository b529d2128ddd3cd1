"""Small folders of images whose class shows in their colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path


def write_chips(root: Path, *, classes: int = 3, chips: int = 8, side_px: int = 24) -> Path:
    """A folder of class folders of PNG chips whose class shows in their colour."""
    rng = np.random.default_rng(0)
    for label in range(classes):
        folder = root / f"class{label}"
        folder.mkdir(parents=True)
        for number in range(chips):
            pixels = rng.integers(0, 120, (side_px, side_px, 3), dtype=np.uint8)
            pixels[..., label % 3] += 100
            Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    return root
