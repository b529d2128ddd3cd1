"""The training loop, from top to bottom; it sees neither a method's views nor its loss inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from featbank.methods.parts.optimiser import set_numbers
from featbank.methods.parts.schedules import numbers_at
from featbank.stages.pretrain.steps.feed import made_views
from featbank.stages.pretrain.watching.recording import StepResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from featbank.inputs.preprocess import Preprocess
    from featbank.methods.views.maker import ViewMaker
    from featbank.stages.pretrain.scale.parallel import ParallelMethod, Place
    from featbank.stages.pretrain.steps.ready import ReadyStep, StepDrawing


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
        drawing: Draws what the steps need.
        clip: Largest norm of a step's gradients; 0 leaves them.
        dtype: ``bfloat16`` for autocast, or ``float32``.
    """

    place: Place
    trained: ParallelMethod
    optimiser: torch.optim.Optimizer
    schedules: Mapping[str, NDArray[Any]]
    prepare: Preprocess
    views: Callable[[int], ViewMaker]
    seed: int
    drawing: StepDrawing
    clip: float
    dtype: str


def train(run: Training, steps: Iterable[ReadyStep]) -> Iterator[StepResult]:
    """Do each step; what it gave is yielded after it, when the run may be saved.

    A step depends on the weights, the optimiser's moments and the step's number, on nothing else:
    a run that goes on from a saved step does what it would have done.

    Args:
        run: What to work with.
        steps: This process's chips of each, and what is drawn for them, on the host.
    """
    method, optimiser = run.trained.method, run.optimiser
    run.trained.module.train()
    for ready in steps:
        step = ready.step
        numbers = numbers_at(run.schedules, step)
        set_numbers(optimiser, lr=numbers["lr"], weight_decay=numbers["weight_decay"])
        # What torch itself draws, such as dropped paths, follows from the step alone too.
        torch.manual_seed(_step_seed(run, step))

        parts = ready.moved(run.place.device)
        shares = [len(part.batch) / len(ready.batch) for part in parts]
        outputs = []
        optimiser.zero_grad(set_to_none=True)
        for part, share in zip(parts, shares, strict=True):
            views = made_views(part.batch, part.views, run.prepare, run.views(step))
            with run.trained.summing(is_last=part is parts[-1]):
                with torch.autocast(
                    run.place.device.type, torch.bfloat16, enabled=run.dtype == "bfloat16"
                ):
                    output = run.trained(views, part.drawn, numbers)
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
