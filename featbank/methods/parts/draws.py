"""Random numbers of one training step that depend on nothing but seed, step and place in the batch.

A step's numbers are drawn for the whole batch of all processes, and each process takes its own
rows. So a run that is cut and resumed, split over processes, or split into micro-batches draws the
same numbers for the same chip.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

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
        self._stream = _Stream(seed * _STRIDE + step)
        self._calls = 0

    def __len__(self) -> int:
        return len(self.rows)

    def among(self, rows: range) -> Draws:
        """The same numbers from the first call on, of other chips; none is drawn a second time.

        Args:
            rows: Places in the batch of all processes.
        """
        other = copy.copy(self)
        other.rows, other._calls = rows, 0
        return other

    def uniform(self, *shape: int) -> Tensor:
        """(b, *shape) float32 in [0, 1), on the CPU."""
        return self._own(self.whole(*shape))

    def normal(self, *shape: int) -> Tensor:
        """(b, *shape) float32, mean 0 and variance 1, on the CPU."""
        return self._own(self._next(torch.randn, shape))

    def whole(self, *shape: int) -> Tensor:
        """(total, *shape) float32 in [0, 1) of all chips of the step, on the CPU.

        For what is decided about the batch as one, such as which half of it is masked.
        """
        return self._next(torch.rand, shape)

    def _next(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        self._calls += 1
        return self._stream.call(self._calls, draw, (self.total, *shape))

    def _own(self, values: Tensor) -> Tensor:
        return values[self.rows.start : self.rows.stop]


class _Stream:
    """The numbers of a step, call after call; kept, since parts of a batch want the same ones."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._drawn: list[Tensor] = []

    def call(self, number: int, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        """Numbers of the first, second, … call.

        Raises:
            ValueError: Another part of the batch made another call in its place.
        """
        if number > len(self._drawn):
            self._drawn.append(draw(shape, generator=self._generator))
        found = self._drawn[number - 1]
        if found.shape != shape:
            raise ValueError(f"call {number} wants {shape}, another part wanted {found.shape}")
        return found
