"""Training networks side by side: batches, AdamW, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from featbank.probes.fitting.device import device
from featbank.probes.fitting.graphed_step import GraphedStep, StepInputs
from featbank.probes.fitting.held_out import held_out
from featbank.probes.fitting.mlp_networks import Networks
from featbank.probes.fitting.mlp_optimizer import NetworksOptimizer
from featbank.probes.fitting.mlp_watch import HeldOutWatch
from featbank.probes.fitting.sgd import batches, few_threads, random_stream, step_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featbank.image import Array
    from featbank.probes.fitting.mlp_loss import MlpLoss
    from featbank.probes.fitting.mlp_networks import NetworkPlan
    from featbank.probes.fitting.mlp_watch import TrainedNetwork

# Smaller batches (samples x features) wait for launches, not for products: there bfloat16 would
# cost digits and gain no time.
_HALF_NUMBERS = 2**15
_WATCH_NUMBERS = 2**22  # hidden units of held-out samples at once: 16 MB


@dataclass(frozen=True, kw_only=True)
class TrainingLength:
    """How long networks are trained.

    Attributes:
        batch_size: Samples of a step.
        epochs: Passes over the samples.
        min_steps: Steps at least, however few samples there are.
        patience: Passes without a lower held-out loss after which a network stops; None watches
            nothing and trains on all samples.
        validation_share: Share of the samples that is held out to be watched.
    """

    batch_size: int
    epochs: int
    min_steps: int
    patience: int | None
    validation_share: float


class TrainingSamples:
    """Standardised features (N, D) and codes, on the device, and who sees which.

    Args:
        X: (N, D) float32.
        codes: (N,) class indices, or (N, K) 0 and 1.
        n_classes: K.
    """

    def __init__(self, X: torch.Tensor, codes: Array, n_classes: int) -> None:
        self.place = device()
        self.codes = codes
        self.shape = (X.shape[1], n_classes)
        self._X = X.to(self.place)
        self._y = torch.from_numpy(codes).to(self.place)

    def split(self, seed: int, passes: TrainingLength) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows to train on and rows to watch; none of the latter without patience."""
        if passes.patience is None:
            return torch.arange(len(self.codes)), torch.arange(0)
        stream = random_stream(seed, "validation")
        return held_out(self.codes, share=passes.validation_share, generator=stream)

    def take(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features (S, B, D) and targets (S, B, K) of rows (S, B), which stand where they do."""
        flat = rows.flatten()
        y = self._y.index_select(0, flat)
        targets = y if y.ndim == 2 else F.one_hot(y, self.shape[1])
        x = self._X.index_select(0, flat)
        return x.view(*rows.shape, -1), targets.view(*rows.shape, -1).float()


def train(
    plans: Sequence[Sequence[NetworkPlan]],
    seeds: Sequence[int],
    samples: TrainingSamples,
    loss: MlpLoss,
    passes: TrainingLength,
) -> list[list[TrainedNetwork]]:
    """Train S x C networks; each ends as if it were trained alone.

    Networks that have stopped are carried on until the last one stops, and what they learn after
    is dropped. On CUDA products are in bfloat16, where alone and together agree to its digits.

    Args:
        plans: S sequences of C plans in order of width, whose widths are the same in each.
        seeds: S seeds.
        samples: What to train on.
        loss: What falls.
        passes: How long.

    Returns:
        S lists of C networks.
    """
    size = passes.batch_size * samples.shape[0]
    networks = Networks(
        plans,
        seeds,
        shape=samples.shape,
        place=samples.place,
        dtype=product_dtype(samples.place.type, size),
    )
    splits = [samples.split(seed, passes) for seed in seeds]
    kept, watched = (torch.stack(rows).to(samples.place) for rows in zip(*splits, strict=True))
    batch = min(passes.batch_size, kept.shape[1])
    steps = step_count(
        kept.shape[1],
        batch_size=passes.batch_size,
        epochs=passes.epochs,
        min_steps=passes.min_steps,
    )
    a_pass = kept.shape[1] // batch
    watch = HeldOutWatch(networks, passes.patience if watched.numel() else None)
    inputs = StepInputs(steps, samples.place)
    descend = _descent(networks, samples, inputs, loss)
    with few_threads(size * networks.runs[-1].stop * len(seeds)):
        for step, rows in enumerate(_orders(kept, seeds, batch=batch, steps=steps)):
            inputs.set(step, rows)
            descend()
            if (step + 1) % a_pass == 0 or step + 1 == steps:
                watch.end_pass(lambda: _watched_loss(networks, samples, watched, loss))
                if watch.all_stopped:
                    break
    return watch.trained()


def _descent(
    networks: Networks, samples: TrainingSamples, inputs: StepInputs, loss: MlpLoss
) -> GraphedStep:
    """One step: take the rows, set the gradients, move the weights."""
    optimizer = NetworksOptimizer(networks)

    def step() -> None:
        networks.descend(*samples.take(inputs.rows), loss)
        optimizer.step(inputs.share)

    return GraphedStep(
        step, steps=inputs.steps, place=samples.place, generators=networks.dropout_streams
    )


def product_dtype(device: str, numbers: int) -> torch.dtype:
    """Of the products of a batch.

    Args:
        device: ``cpu`` or ``cuda``.
        numbers: Samples x features of the batch.
    """
    is_half = device == "cuda" and numbers >= _HALF_NUMBERS
    return torch.bfloat16 if is_half else torch.float32


def _orders(
    kept: torch.Tensor, seeds: Sequence[int], *, batch: int, steps: int
) -> Iterator[torch.Tensor]:
    """Rows (S, B) of each step, in each seed's own order."""
    orders = [
        batches(
            len(rows),
            batch_size=batch,
            steps=steps,
            generator=random_stream(seed, "order"),
            place=kept.device,
        )
        for rows, seed in zip(kept, seeds, strict=True)
    ]
    for drawn in zip(*orders, strict=True):
        yield torch.gather(kept, 1, torch.stack(drawn))


def _watched_loss(
    networks: Networks, samples: TrainingSamples, watched: torch.Tensor, loss: MlpLoss
) -> torch.Tensor:
    """(S, C) losses of the held-out rows (S, n)."""
    size = max(1, _WATCH_NUMBERS // (networks.runs[-1].stop * len(watched)))
    total = torch.zeros((), device=samples.place)
    for start in range(0, watched.shape[1], size):
        rows = watched[:, start : start + size]
        x, targets = samples.take(rows)
        total = total + loss.value(networks.scores(x), targets[:, None]) * rows.shape[1]
    return total / watched.shape[1]
