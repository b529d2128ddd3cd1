"""Small batches on cached features: how many steps, in what order, at what rate."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

# Below so many products a step, threads cost more than they give: on busy cores their barriers
# spin, and a step of 256 x 192 x 30 in two threads then takes many times that of one.
_THREADED_PRODUCTS = 50_000_000

Stream = Literal["weights", "order", "dropout", "validation"]
_STREAMS: tuple[Stream, ...] = ("weights", "order", "dropout", "validation")


@dataclass(frozen=True, kw_only=True)
class Batching:
    """How the samples of a fit are taken.

    Attributes:
        size: b samples of a step.
        steps: Steps in all.
        across_passes: Whether a batch that a pass does not fill goes on with the next pass.
    """

    size: int
    steps: int
    across_passes: bool = False

    def taken(self, n: int) -> int:
        """Samples that a step takes of N: all where there are fewer than b in a pass."""
        return self.size if self.across_passes else min(self.size, n)

    def drawn(
        self, n: int, generator: torch.Generator, place: torch.device
    ) -> Iterator[torch.Tensor]:
        """Indices of each step's samples among N, on a device."""
        return batches(
            n,
            batch_size=self.size,
            steps=self.steps,
            generator=generator,
            across_passes=self.across_passes,
            place=place,
        )


def step_count(n: int, *, batch_size: int, epochs: int, min_steps: int) -> int:
    """Steps of a fit: whole passes over N samples, and more where the set is small."""
    return max(min_steps, epochs * math.ceil(n / batch_size))


def random_stream(seed: int, stream: Stream, place: torch.device | None = None) -> torch.Generator:
    """One of a seed's independent streams of random numbers.

    What one stream gives does not hang on how much another gave, so that fits of equal seed take
    the samples in equal order whatever their numbers of weights.

    Args:
        seed: Of the fit, >= 0.
        stream: What is drawn.
        place: Where the numbers are made; None is the CPU.
    """
    sequence = np.random.SeedSequence([seed, _STREAMS.index(stream)])
    state = int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))
    return torch.Generator(device=place or "cpu").manual_seed(state)


def batches(
    n: int,
    *,
    batch_size: int,
    steps: int,
    generator: torch.Generator,
    across_passes: bool = False,
    place: torch.device | None = None,
) -> Iterator[torch.Tensor]:
    """Indices (b,) of each step's samples: one new order a pass, the rest of a pass left out.

    Orders are drawn on the CPU, so that devices take the same samples, and moved once a pass.

    Args:
        n: N samples.
        batch_size: b; or N where that is less, unless batches run across passes.
        steps: Batches in all.
        generator: Draws the orders.
        across_passes: Whether a batch that a pass does not fill goes on with the next pass, as
            under DINOv2's endless samplers: nothing is left out, and of fewer than b samples a
            batch holds some twice.
        place: Where the indices are used; None is the CPU.
    """
    if across_passes:
        yield from _endless(n, batch_size, steps, generator, place)
        return
    size = min(batch_size, n)
    whole = n // size
    for step in range(steps):
        if step % whole == 0:
            order = _order(n, generator, place)
        start = step % whole * size
        yield order[start : start + size]


def _endless(
    n: int, batch_size: int, steps: int, generator: torch.Generator, place: torch.device | None
) -> Iterator[torch.Tensor]:
    waiting = torch.empty(0, dtype=torch.int64, device=place)
    for _ in range(steps):
        while len(waiting) < batch_size:
            waiting = torch.cat([waiting, _order(n, generator, place)])
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


def _order(n: int, generator: torch.Generator, place: torch.device | None) -> torch.Tensor:
    """A new order of N samples, on its way to where it is used; nobody waits for it."""
    drawn = torch.randperm(n, generator=generator)
    if place is None or place.type == "cpu":
        return drawn
    return drawn.pin_memory().to(place, non_blocking=True)


def cosine(step: int, steps: int) -> float:
    """Share of the learning rate at a step: 1 at the first, to 0 after the last."""
    return 0.5 * (1 + math.cos(math.pi * step / steps))


@contextmanager
def few_threads(products: int) -> Iterator[None]:
    """One PyTorch thread while steps are small, so that fits do not wait for busy cores.

    Args:
        products: Multiplications of the largest matrix product of a step.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if products < _THREADED_PRODUCTS else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
