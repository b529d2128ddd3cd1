"""Readers for tests; they live in a module so that reader processes can import them."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from featbank.errors import DecodeError
from featbank.image import Grid
from featbank.inputs.contract import Contract

GRID = Grid(name="g", bands=("a",), dtype="uint16")
CONTRACT = Contract(grids=(GRID,), units={"a": "unknown"})


@dataclass(frozen=True)
class Counting:
    """Chip i holds i in its corner; every fifth is larger, every seventh does not decode."""

    fail_at: int = -1
    die_at: int = -1
    hungry_at: int = -1

    def read(self, index):
        if index == self.fail_at:
            raise OSError(5, "Input/output error", f"chip{index}")
        if index == self.die_at:
            os._exit(9)
        if index == self.hungry_at:
            raise MemoryError
        if index % 7 == 6:
            raise DecodeError(f"chip{index}", "is torn", "a whole file", "Replace it.")
        side = 6 if index % 5 == 4 else 4
        pixels = np.zeros((1, side, side), dtype=np.uint16)
        pixels[0, 0, 0] = index + 1
        return {"g": pixels}
