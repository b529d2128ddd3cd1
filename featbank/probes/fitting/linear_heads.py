"""Linear heads that take the same batches, descending together: one product for all of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from featbank.probes.fitting.device import device
from featbank.probes.fitting.graphed_step import GraphedStep, StepInputs
from featbank.probes.fitting.sgd import few_threads, random_stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from featbank.probes.fitting.sgd import Batching

    Columns = tuple[tuple[int, int], ...]

MOMENTUM = 0.9  # dinov2/eval/linear.py
INIT_STD = 0.01  # dinov2/eval/linear.py: weights N(0, .01), biases 0
REFERENCE_BATCH = 256  # dinov2/eval/linear.py: rates are per 256 samples of a batch


class HeadBlock:
    """H heads of K classes that see the same D columns, one below the other: (H K, D) weights.

    Of both layouts this one is the faster: at D = 3840 the gradient takes 7 ms, not 10.

    Args:
        columns: (start, stop) of the feature columns that the heads see.
        rates: H learning rates, already scaled to the batch.
        n_classes: K.
        seed: Draws the weights, the same for each head, as if it were alone.
        place: Where the weights stand.
    """

    def __init__(
        self,
        columns: Columns,
        rates: Sequence[float],
        *,
        n_classes: int,
        seed: int,
        place: torch.device,
    ) -> None:
        self.columns = joined(columns)
        self.n_classes = n_classes
        dim = sum(stop - start for start, stop in columns)
        one = INIT_STD * torch.randn(n_classes, dim, generator=random_stream(seed, "weights"))
        self.weights = one.repeat(len(rates), 1).to(place)
        self.biases = torch.zeros(len(rates) * n_classes, device=place)
        self.rates = torch.tensor(rates, device=place).repeat_interleave(n_classes)
        self._weight_velocity = torch.zeros_like(self.weights)
        self._bias_velocity = torch.zeros_like(self.biases)

    def step(
        self, x: torch.Tensor, targets: torch.Tensor, *, share: float | torch.Tensor, several: bool
    ) -> None:
        """One step of SGD with momentum; gradients are written out by hand.

        A head whose weights run off to infinity leaves the others as they are: scores and
        gradients of a head hang on its own rows of weights only.

        Args:
            x: (B, D) joint features.
            targets: (B, 1, K) 0 and 1.
            share: Share of the learning rates at this step; a tensor on CUDA.
            several: Whether a sample may bear several labels.
        """
        seen = self._seen(x)
        scores = F.linear(seen, self.weights, self.biases).view(len(x), -1, self.n_classes)
        p = scores.sigmoid() if several else scores.softmax(dim=2)
        # d loss / d scores of both cross-entropies, averaged over the batch
        error = p.sub_(targets).div_(len(x)).view(len(x), -1)
        self._weight_velocity.addmm_(error.T, seen, beta=MOMENTUM)
        self._bias_velocity.mul_(MOMENTUM).add_(error.sum(dim=0))
        # A number would stand in a CUDA graph as it was when that was captured.
        rates, factor = (
            (self.rates * share, 1.0) if isinstance(share, torch.Tensor) else (self.rates, share)
        )
        self.weights.addcmul_(self._weight_velocity, rates[:, None], value=-factor)
        self.biases.addcmul_(self._bias_velocity, rates, value=-factor)

    def heads(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Weights (K, D) and biases (K,) of each head, on the CPU."""
        count = len(self.biases) // self.n_classes
        weights = torch.tensor_split(self.weights.cpu(), count)
        return list(zip(weights, torch.tensor_split(self.biases.cpu(), count), strict=True))

    def _seen(self, x: torch.Tensor) -> torch.Tensor:
        parts = [x[:, start:stop] for start, stop in self.columns]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def joined(columns: Columns) -> Columns:
    """The same columns with neighbours joined, so that most are one view of the features."""
    merged: list[tuple[int, int]] = []
    for start, stop in columns:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((start, stop))
    return tuple(merged)


def descend(
    X: torch.Tensor,
    codes: torch.Tensor,
    rates: Mapping[Columns, Sequence[float]],
    *,
    n_classes: int,
    batching: Batching,
    seed: int,
) -> dict[Columns, list[tuple[torch.Tensor, torch.Tensor]]]:
    """Train all heads in one pass over the features; each ends as if it were trained alone.

    Args:
        X: (N, D) joint features, float32.
        codes: (N,) class indices, or (N, K) 0 and 1.
        rates: Learning rates for a batch of 256 of the heads that see each set of columns.
        n_classes: K.
        batching: How samples are taken.
        seed: Draws weights and the order of samples.

    Returns:
        For each set of columns, weights (K, d) and biases (K,) of its heads in the order of rates.
    """
    place, several = device(), codes.ndim == 2
    size = batching.taken(len(X))
    first = min(start for columns in rates for start, _ in columns)
    last = max(stop for columns in rates for _, stop in columns)
    # Only what some head sees is gathered.
    X, codes = X[:, first:last].to(place), codes.to(place)
    blocks = {
        columns: HeadBlock(
            tuple((start - first, stop - first) for start, stop in columns),
            [rate * size / REFERENCE_BATCH for rate in of_block],
            n_classes=n_classes,
            seed=seed,
            place=place,
        )
        for columns, of_block in rates.items()
    }
    inputs = StepInputs(batching.steps, place)

    def step_all() -> None:
        y = codes[inputs.rows]
        x, targets = X.index_select(0, inputs.rows), y if several else F.one_hot(y, n_classes)
        for block in blocks.values():
            block.step(x, targets[:, None].float(), share=inputs.share, several=several)

    graphed = GraphedStep(step_all, steps=inputs.steps, place=place)
    order = batching.drawn(len(X), random_stream(seed, "order"), place)
    with few_threads(size * sum(block.weights.numel() for block in blocks.values())):
        for step, rows in enumerate(order):
            inputs.set(step, rows)
            graphed()
    return {columns: block.heads() for columns, block in blocks.items()}
