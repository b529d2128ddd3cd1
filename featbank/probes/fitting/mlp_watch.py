"""Early stopping of networks that are trained side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from featbank.probes.fitting.mlp_networks import Networks


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork:
    """One trained network.

    Attributes:
        weights: Weights (w, D), biases (w,), weights (K, w), biases (K,), on the CPU.
        epochs: Passes begun until it stopped.
        best_epoch: The pass, from 1, whose weights these are.
    """

    weights: tuple[torch.Tensor, ...]
    epochs: int
    best_epoch: int


class HeldOutWatch:
    """Keeps each network's best weights by its loss on held-out samples, and says when to stop.

    Args:
        networks: What is trained.
        patience: Passes without a lower loss after which a network stops; None never stops one
            and keeps the last weights.
    """

    def __init__(self, networks: Networks, patience: int | None) -> None:
        self._networks, self._patience = networks, patience
        shape = (len(networks.plans), len(networks.plans[0]))
        self._lowest = torch.full(shape, torch.inf)
        self._best = torch.zeros(shape, dtype=torch.int64)
        self._last = torch.zeros(shape, dtype=torch.int64)
        self._stopped = torch.zeros(shape, dtype=torch.bool)
        watches = patience is not None
        self._kept = [tensor.clone() for tensor in networks.parameters] if watches else None

    @property
    def all_stopped(self) -> bool:
        """Whether no network learns any more."""
        return bool(self._stopped.all())

    def end_pass(self, losses: Callable[[], torch.Tensor]) -> None:
        """Note a pass that has ended.

        Args:
            losses: Gives the (S, C) held-out losses; called only if they are watched.
        """
        self._last[~self._stopped] += 1
        if self._patience is None:
            self._best[:] = self._last
            return
        found = losses().cpu()
        # The first pass counts whatever it gave: of a network that is NaN throughout, NaN is kept.
        is_better = ~self._stopped & ((found < self._lowest) | (self._best == 0))
        for s, c in is_better.nonzero().tolist():
            new = self._networks.network(s, c)
            for kept, tensor in zip(self._networks.network(s, c, self._kept), new, strict=True):
                kept.copy_(tensor)
        self._lowest = torch.where(is_better, found, self._lowest)
        self._best = torch.where(is_better, self._last, self._best)
        self._stopped |= self._last - self._best >= self._patience

    def trained(self) -> list[list[TrainedNetwork]]:
        """The networks with their best weights, or the last ones where none are watched."""
        seeds, count = self._best.shape
        return [
            [
                TrainedNetwork(
                    weights=tuple(w.cpu() for w in self._networks.network(s, c, self._kept)),
                    epochs=int(self._last[s, c]),
                    best_epoch=int(self._best[s, c]),
                )
                for c in range(count)
            ]
            for s in range(seeds)
        ]
