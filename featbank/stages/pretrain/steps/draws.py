"""Random numbers of one training step that depend on nothing but seed, step and place in the batch.

A step's numbers are drawn for the whole batch of all processes, and each process takes its own
rows. So a run that is cut and resumed, split over processes, or split into micro-batches draws the
same numbers for the same chip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

# A prime far above the number of streams keeps seeds of neighbouring steps apart.
_STRIDE = 1_000_003


class Draws:
    """The random numbers of some chips in one step.

    Calls follow one another: the second call of ``uniform`` gives other numbers than the first,
    and every process has to make the same calls.

    Args:
        seed: Seed of the run.
        step: Optimiser step, from 0.
        total: Chips of the step, over all processes and micro-batches.
        rows: Which of them are here.
    """

    def __init__(self, *, seed: int, step: int, total: int, rows: range) -> None:
        self.seed = seed
        self.step = step
        self.total = total
        self.rows = rows
        self._generator = torch.Generator().manual_seed(seed * _STRIDE + step)

    def __len__(self) -> int:
        return len(self.rows)

    def uniform(self, *shape: int) -> Tensor:
        """(b, *shape) float32 in [0, 1), on the CPU."""
        return self._own(self.whole(*shape))

    def normal(self, *shape: int) -> Tensor:
        """(b, *shape) float32, mean 0 and variance 1, on the CPU."""
        return self._own(torch.randn(self.total, *shape, generator=self._generator))

    def whole(self, *shape: int) -> Tensor:
        """(total, *shape) float32 in [0, 1) of all chips of the step, on the CPU.

        For what is decided about the batch as one, such as which half of it is masked.
        """
        return torch.rand(self.total, *shape, generator=self._generator)

    def device_generator(self, device: torch.device) -> torch.Generator:
        """A generator for numbers too many to be drawn on the CPU, such as one a pixel.

        Its numbers differ between devices and between processes.
        """
        own = self.seed * _STRIDE + self.step + 31 * self.rows.start
        return torch.Generator(device).manual_seed(own)

    def _own(self, values: Tensor) -> Tensor:
        return values[self.rows.start : self.rows.stop]
