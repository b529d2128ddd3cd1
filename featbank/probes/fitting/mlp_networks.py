"""Networks of one hidden layer side by side: S seeds of the same C widths as one problem.

First layers stand one below the other and are one product a seed; second layers are one product
for each width. Gradients are written out by hand, so that no graph is kept and slices of a layer
cost nothing. No network sees what another is or does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from featbank.probes.fitting.sgd import random_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.probes.fitting.mlp_loss import MlpLoss


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """One network.

    Attributes:
        width: Hidden units.
        dropout: Share of hidden units dropped in training, in [0, 1).
        lr: Learning rate at the first step.
        weight_decay: AdamW's.
    """

    width: int
    dropout: float
    lr: float
    weight_decay: float


@dataclass(frozen=True)
class Run:
    """Neighbours of equal width: networks first to last - 1, hidden units start to stop - 1."""

    first: int
    last: int
    start: int
    stop: int

    def units(self, hidden: torch.Tensor) -> torch.Tensor:
        """Their part of one seed's (B, T) hidden units as a view (networks, B, width)."""
        count = self.last - self.first
        return hidden[:, self.start : self.stop].view(len(hidden), count, -1).transpose(0, 1)


class Networks:
    """S x C networks: linear, GELU, dropout, linear.

    Args:
        plans: S sequences of C plans in order of width, whose widths are the same in each.
        seeds: S seeds, which draw weights and dropout.
        shape: D features and K classes.
        place: Where they stand.
        dtype: Of the products; weights, their gradients and steps are float32.
    """

    def __init__(
        self,
        plans: Sequence[Sequence[NetworkPlan]],
        seeds: Sequence[int],
        *,
        shape: tuple[int, int],
        place: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.plans, self.place, self.dtype = plans, place, dtype
        self.runs = _runs([plan.width for plan in plans[0]])
        self.parameters = self._empty(shape)
        self.gradients = self._empty(shape)
        for s, (of_seed, seed) in enumerate(zip(plans, seeds, strict=True)):
            for c in range(len(of_seed)):
                _draw(self.network(s, c), random_stream(seed, "weights"))
        # Equal widths of a seed draw equal numbers: each run of them draws once.
        self._streams = [
            [random_stream(seed, "dropout", place) for _ in self.runs] for seed in seeds
        ]

    @property
    def dropout_streams(self) -> list[torch.Generator]:
        """All that a step draws from."""
        return [
            stream
            for s, streams in enumerate(self._streams)
            for run, stream in zip(self.runs, streams, strict=True)
            if self._drops(s, run)
        ]

    def network(
        self, s: int, c: int, tensors: Sequence[torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, ...]:
        """Weights (w, D), biases (w,), weights (K, w), biases (K,) of one network, as views.

        Args:
            s: Its seed's position.
            c: Its position among the widths.
            tensors: What to look at: parameters, gradients or a copy; None is the parameters.
        """
        first, bias, last_bias, *last = self.parameters if tensors is None else tensors
        run, weights = next(pair for pair in zip(self.runs, last, strict=True) if c < pair[0].last)
        width = (run.stop - run.start) // (run.last - run.first)
        units = slice(run.start + (c - run.first) * width, run.start + (c - run.first + 1) * width)
        return first[s, units], bias[s, 0, units], weights[s, c - run.first], last_bias[s, c, 0]

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (S, C, B, K) of (S, B, D) features, nothing dropped."""
        return self._last_layers(F.gelu(self._first_layers(x.to(self.dtype))))

    def descend(self, x: torch.Tensor, targets: torch.Tensor, loss: MlpLoss) -> None:
        """Set the gradients of one batch: (S, B, D) features and (S, B, K) 0 and 1."""
        x = x.to(self.dtype)
        before = self._first_layers(x)
        kept = self._dropout_factors(x.shape[1])
        hidden = F.gelu(before).mul_(kept)
        error = loss.error(self._last_layers(hidden), targets[:, None])
        first, bias, last_bias, *last = self.gradients
        torch.sum(error, dim=2, keepdim=True, out=last_bias)
        returned = torch.empty_like(hidden)
        error = error.to(self.dtype)
        for run, weights, gradient in zip(self.runs, self.parameters[3:], last, strict=True):
            for s in range(len(x)):
                of_run = error[s, run.first : run.last]
                _product(of_run.mT, run.units(hidden[s]), out=gradient[s])
                _product(of_run, weights[s].to(self.dtype), out=run.units(returned[s]))
        returned = torch.ops.aten.gelu_backward(returned.mul_(kept), before)
        _product(returned.mT, x, out=first)
        torch.sum(returned, dim=1, keepdim=True, dtype=torch.float32, out=bias)

    def _first_layers(self, x: torch.Tensor) -> torch.Tensor:
        first, bias, *_ = self.parameters
        return torch.baddbmm(bias.to(self.dtype), x, first.mT.to(self.dtype))

    def _last_layers(self, hidden: torch.Tensor) -> torch.Tensor:
        _, _, bias, *last = self.parameters
        shape = (len(hidden), bias.shape[1], hidden.shape[1], bias.shape[3])
        scores = torch.empty(shape, device=self.place)
        for run, weights in zip(self.runs, last, strict=True):
            for s in range(len(hidden)):
                out = scores[s, run.first : run.last]
                _product(run.units(hidden[s]), weights[s].mT.to(self.dtype), out=out)
        return scores.add_(bias)

    def _dropout_factors(self, size: int) -> torch.Tensor:
        """(S, B, T): 0 for a dropped unit, else 1 / (1 - dropout)."""
        total = self.runs[-1].stop
        factors = torch.ones(len(self.plans), size, total, device=self.place, dtype=self.dtype)
        for s, of_seed in enumerate(self.plans):
            for run, stream in zip(self.runs, self._streams[s], strict=True):
                if not self._drops(s, run):
                    continue
                parts = run.units(factors[s])
                bits = _random_bits(parts.shape[1:], stream)
                for plan, part in zip(of_seed[run.first : run.last], parts, strict=True):
                    if plan.dropout:
                        part.copy_(_is_kept(bits, plan.dropout)).div_(1 - plan.dropout)
        return factors

    def _drops(self, s: int, run: Run) -> bool:
        """Whether any network of a run drops units."""
        return any(plan.dropout for plan in self.plans[s][run.first : run.last])

    def _empty(self, shape: tuple[int, int]) -> list[torch.Tensor]:
        """First weights and biases, last biases, then last weights of each run."""
        dim, classes = shape
        s, c, total = len(self.plans), len(self.plans[0]), self.runs[-1].stop
        # Last biases are shaped as the scores (S, C, B, K) that they are added to.
        shapes: list[tuple[int, ...]] = [(s, total, dim), (s, 1, total), (s, c, 1, classes)]
        for run in self.runs:
            count = run.last - run.first
            shapes.append((s, count, classes, (run.stop - run.start) // count))
        return [torch.zeros(shape, device=self.place) for shape in shapes]


def _runs(widths: Sequence[int]) -> list[Run]:
    runs: list[Run] = []
    for width, equal in groupby(widths):
        count = len(list(equal))
        first, start = (runs[-1].last, runs[-1].stop) if runs else (0, 0)
        runs.append(Run(first, first + count, start, start + count * width))
    return runs


def _draw(network: Sequence[torch.Tensor], generator: torch.Generator) -> None:
    """PyTorch's initial weights and biases of a linear layer: uniform within 1 / sqrt(inputs)."""
    for weights, biases in (network[:2], network[2:]):
        bound = 1 / math.sqrt(weights.shape[1])
        for tensor in (weights, biases):
            drawn = torch.empty(tensor.shape).uniform_(-bound, bound, generator=generator)
            tensor.copy_(drawn)


def _random_bits(shape: torch.Size, stream: torch.Generator) -> torch.Tensor:
    """16 random bits for each unit, as int16: a fourth of the time of floats."""
    words = torch.empty(-(-shape.numel() // 4), dtype=torch.int64, device=stream.device)
    bits = words.random_(-(2**63), None, generator=stream).view(torch.int16)
    return bits[: shape.numel()].view(shape)


def _is_kept(bits: torch.Tensor, dropout: float) -> torch.Tensor:
    """Whether each unit is kept, by its random bits."""
    return bits >= min(round(dropout * 2**16), 2**16 - 1) - 2**15


def _product(a: torch.Tensor, b: torch.Tensor, *, out: torch.Tensor) -> None:
    """Batched a b; half-precision products become float32 where ``out`` is."""
    if a.dtype == out.dtype and out.is_contiguous():
        torch.bmm(a, b, out=out)
    else:
        out.copy_(torch.bmm(a, b))
