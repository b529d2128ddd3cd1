"""A step made ready on the host: its chips, and everything that is drawn for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.methods.parts.bundle import Bundle
from featbank.methods.parts.draws import Draws

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from torch import Tensor

    from featbank.methods.method import Drawn, Method
    from featbank.methods.views.maker import DrawnViews, ViewMaker
    from featbank.stages.pretrain.steps.feed import Batch

# A method draws other numbers than the views of the same step.
_METHOD_SEED = 1 << 32


@dataclass(frozen=True)
class StepPart:
    """What one forward pass is made of, on the device.

    Attributes:
        batch: Chips of a micro-batch.
        views: What is drawn for the views of each of its groups.
        drawn: What the method draws.
    """

    batch: Batch
    views: tuple[DrawnViews, ...]
    drawn: Drawn


@dataclass(frozen=True)
class ReadyStep:
    """A step's chips and numbers on the host.

    Attributes:
        step: Its number.
        batch: The chips, in pinned memory where there is a GPU.
        size: Chips of a micro-batch.
        drawn: For each micro-batch: of the views of each group, and of the method.
    """

    step: int
    batch: Batch
    size: int
    drawn: Bundle

    def moved(self, device: torch.device) -> list[StepPart]:
        """The micro-batches on the device: a copy for each grid's pixels, and one for the rest."""
        parts = self.batch.moved(device).parts(self.size)
        told: tuple[tuple[tuple[DrawnViews, ...], Drawn], ...] = self.drawn.moved()
        return [
            StepPart(part, views, drawn) for part, (views, drawn) in zip(parts, told, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class StepDrawing:
    """Draws whatever the steps of a run need, on the CPU.

    Attributes:
        seed: Of the run.
        total: Chips of a step, over all processes.
        size_of: Height and width of the network's input of native pixels.
        views: What makes views of channels, by step.
        method: Draws for its forward pass.
        micro_batch: Chips of one forward pass here; None takes all at once.
        device: Where all of it is wanted.
    """

    seed: int
    total: int
    size_of: Callable[[Mapping[str, Tensor]], tuple[int, int]]
    views: Callable[[int], ViewMaker]
    method: Method
    micro_batch: int | None
    device: torch.device

    def __call__(self, step: int, batch: Batch) -> ReadyStep:
        """Draw for the chips of a step."""
        size = self.micro_batch or len(batch)
        views, own = self._draws(step, self.seed), self._draws(step, self.seed + _METHOD_SEED)
        maker = self.views(step)
        drawn = tuple(
            (
                tuple(
                    maker.draw(self.size_of(group), views.among(rows))
                    for rows, group in part.placed()
                ),
                self.method.draw(own.among(part.places), maker.sides),
            )
            for part in batch.parts(size)
        )
        return ReadyStep(step, batch.pinned(self.device), size, Bundle(drawn, self.device))

    def _draws(self, step: int, seed: int) -> Draws:
        return Draws(seed=seed, step=step, total=self.total, rows=range(self.total))
