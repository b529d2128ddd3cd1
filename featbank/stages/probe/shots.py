"""A few samples of each class, drawn by chance: what few-shot probes and fine-tuning learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array

    Rows = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Shots:
    """What was drawn.

    Attributes:
        rows: Drawn rows, sorted, each once.
        short: Number of samples by class, of those present with fewer than were asked for.
    """

    rows: Rows
    short: dict[int, int]


class Permuting(Protocol):
    """What puts samples in an order of chance; ``numpy.random.Generator`` is one."""

    def permutation(self, x: Rows, /) -> Rows:
        """The same rows in another order."""


class TorchDraws:
    """The orders that PyTorch draws on the CPU after ``torch.manual_seed``.

    Args:
        seed: Its seed.
    """

    def __init__(self, seed: int) -> None:
        import torch

        self._generator = torch.Generator().manual_seed(seed)

    def permutation(self, x: Rows, /) -> Rows:
        """The same rows in another order."""
        import torch

        order: Rows = torch.randperm(len(x), generator=self._generator).numpy()
        return x[order]


def draw_shots(labels: Array, rows: Rows, *, n_classes: int, shots: int, rng: Permuting) -> Shots:
    """As many samples of each class, or label, among some rows; their union.

    Args:
        labels: (N,) class indices, or (N, K) 0 and 1.
        rows: Rows to draw from.
        n_classes: K.
        shots: Samples of each class.
        rng: Draws class by class.
    """
    own, picked = labels[rows], []
    short: dict[int, int] = {}
    for k in range(n_classes):
        members = rows[own[:, k] == 1 if own.ndim == 2 else own == k]
        if 0 < len(members) < shots:
            short[k] = len(members)
        picked.append(rng.permutation(members)[:shots])
    return Shots(rows=np.unique(np.concatenate(picked)), short=short)
