"""The training loop, from top to bottom; it sees neither a method's views nor its loss inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from featbank.stages.pretrain.steps.draws import Draws
from featbank.stages.pretrain.steps.feed import made_views
from featbank.stages.pretrain.steps.optimiser import set_numbers
from featbank.stages.pretrain.steps.schedules import numbers_at
from featbank.stages.pretrain.watching.recording import StepResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from featbank.stages.pretrain.scale.parallel import Place, Trained
    from featbank.stages.pretrain.steps.feed import Batch

# A method draws other numbers than the views of the same step.
_METHOD_SEED = 1 << 32


@dataclass(frozen=True, kw_only=True)
class Training:
    """What the loop works with.

    Attributes:
        place: Where this process stands.
        trained: The method as torch's engine runs it.
        optimiser: Over the method's parameters.
        schedules: (steps,) numbers by name, ``lr`` and ``weight_decay`` among them.
        prepare: Makes normalised channels of native pixels.
        views: What makes views of channels, by step.
        seed: Of the run.
        batch_size: Chips of a step, over all processes.
        micro_batch: Chips of one forward pass here; None takes all at once.
        clip: Largest norm of a step's gradients; 0 leaves them.
        dtype: ``bfloat16`` for autocast, or ``float32``.
    """

    place: Place
    trained: Trained
    optimiser: torch.optim.Optimizer
    schedules: Mapping[str, NDArray[Any]]
    prepare: Callable[[Mapping[str, Tensor]], Tensor]
    views: Callable[[int], Callable[[Tensor, Draws], Mapping[str, Tensor]]]
    seed: int
    batch_size: int
    micro_batch: int | None
    clip: float
    dtype: str


def train(run: Training, batches: Iterable[Batch], *, start: int) -> Iterator[StepResult]:
    """Train on each batch; what a step gave is yielded after it, when the run may be saved.

    A step depends on the weights, the optimiser's moments and the step's number, on nothing else:
    a run that goes on from a saved step does what it would have done.

    Args:
        run: What to work with.
        batches: This process's chips of the steps from ``start`` on.
        start: First step.
    """
    method, optimiser = run.trained.method, run.optimiser
    run.trained.module.train()
    for step, batch in enumerate(batches, start):
        numbers = numbers_at(run.schedules, step)
        set_numbers(optimiser, lr=numbers["lr"], weight_decay=numbers["weight_decay"])
        # What torch itself draws, such as dropped paths, follows from the step alone too.
        torch.manual_seed(_step_seed(run, step))

        parts = list(batch.parts(run.micro_batch or len(batch)))
        shares = [len(part) / len(batch) for part in parts]
        outputs = []
        optimiser.zero_grad(set_to_none=True)
        for part, share in zip(parts, shares, strict=True):
            views = _views(run, part, step)
            with run.trained.summing(is_last=part is parts[-1]):
                with torch.autocast(
                    run.place.device.type, torch.bfloat16, enabled=run.dtype == "bfloat16"
                ):
                    output = run.trained(views, _method_draws(run, part, step), numbers)
                scaled = output.loss * share
                scaled.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
            outputs.append(output)

        norm = run.trained.clip(run.clip)
        method.before_update(numbers)
        optimiser.step()
        method.after_update(numbers)
        yield StepResult(
            step=step, numbers=numbers, outputs=outputs, shares=shares, gradient_norm=norm
        )


def _step_seed(run: Training, step: int) -> int:
    # Processes drop different paths.
    sequence = np.random.SeedSequence((run.seed, step, run.place.rank))
    return int(sequence.generate_state(1, np.uint64)[0])


def _views(run: Training, part: Batch, step: int) -> dict[str, Tensor]:
    def draws(rows: range) -> Draws:
        return Draws(seed=run.seed, step=step, total=run.batch_size, rows=rows)

    return made_views(part, draws, run.prepare, run.views(step))


def _method_draws(run: Training, part: Batch, step: int) -> Draws:
    rows = range(part.first, part.first + len(part))
    return Draws(seed=run.seed + _METHOD_SEED, step=step, total=run.batch_size, rows=rows)
