"""Assignments of views to prototypes: the teacher's targets, and the student's loss against them.

References:
    Caron et al. 2021, arXiv:2104.14294 (DINO), section 3; facebookresearch/dinov2
    ``loss/dino_clstoken_loss.py``. Sinkhorn-Knopp: Caron et al. 2020,
    arXiv:2006.09882, section 3.1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from featbank.methods.parts.ranks import all_max, all_sum

# facebookresearch/dinov2 ``loss/dino_clstoken_loss.py``: the default of all three.
STUDENT_TEMPERATURE = 0.1
CENTRE_MOMENTUM = 0.9
SINKHORN_ITERATIONS = 3


class Centre(nn.Module):
    """Running mean of the teacher's logits, which centring takes away from them.

    A step's logits are noted chip by chip and move the centre once, after the optimiser's step:
    micro-batches and processes together give what one batch gives.

    Args:
        prototypes: Number of prototypes K.
        momentum: Share of the old centre that stays, 0 to 1.
    """

    value: Tensor
    _sum: Tensor
    _count: Tensor

    def __init__(self, prototypes: int, momentum: float = CENTRE_MOMENTUM) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("value", torch.zeros(prototypes))
        # Empty between steps, so no part of a saved state.
        self.register_buffer("_sum", torch.zeros(prototypes), persistent=False)
        self.register_buffer("_count", torch.zeros(()), persistent=False)

    @torch.no_grad()
    def note(self, logits: Tensor) -> None:
        """Take a batch of the teacher's logits (n, K) into the step's mean; n may be 0."""
        # Summed here, not in ``move``: buffers stay equal in all processes, which DDP asks for.
        own = torch.cat([logits.float().sum(0), self._count.new_full((1,), len(logits))])
        both = all_sum(own)
        self._sum += both[:-1]
        self._count += both[-1]

    @torch.no_grad()
    def move(self) -> None:
        """Move the centre towards the mean of what was noted since the last move, if anything."""
        mean = self._sum / self._count.clamp(min=1)
        share = (1 - self.momentum) * (self._count > 0).float()
        self.value.copy_(self.value * (1 - share) + mean * share)
        self._sum.zero_()
        self._count.zero_()


def centred(logits: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """Targets by softmax, with the centre taken away.

    Args:
        logits: (n, K) of the teacher.
        centre: (K,).
        temperature: Of the teacher, > 0.

    Returns:
        (n, K) float32; rows sum to 1.
    """
    return functional.softmax((logits.float() - centre) / temperature, dim=-1)


def sinkhorn(
    logits: Tensor, temperature: float, *, iterations: int = SINKHORN_ITERATIONS
) -> Tensor:
    """Targets that use all prototypes equally: alternating normalisation of columns and rows.

    The columns' sums run over the rows of all processes. It is done on logarithms: neither large
    logits nor prototypes that no row is near overflow or divide by zero.

    Args:
        logits: (n, K) of the teacher; n may be 0, and differ between processes.
        temperature: Of the teacher, > 0.
        iterations: Times that both are normalised.

    Returns:
        (n, K) float32; rows sum to 1.
    """
    scores = logits.float() / temperature
    for _ in range(iterations):
        scores = scores - _column_totals(scores)
        scores = functional.log_softmax(scores, dim=-1)
    return scores.exp()


def views_loss(
    students: Tensor,
    targets: Tensor,
    *,
    temperature: float = STUDENT_TEMPERATURE,
    own_views: int,
) -> Tensor:
    """Cross-entropy of student views against the teacher's other views, mean over pairs and chips.

    Args:
        students: (V, b, K) logits of the student.
        targets: (G, b, K) probabilities of the teacher.
        temperature: Of the student, > 0.
        own_views: How many of the student's first views are the teacher's first: a view is not
            compared with itself.

    Returns:
        A scalar; log K where the student is uniform.
    """
    logs = functional.log_softmax(students.float() / temperature, dim=-1)
    # Summed over targets first: one product for each student view, not one for each pair.
    wanted = targets.sum(0).expand(len(students), -1, -1)
    if own_views:
        others = wanted[:own_views] - targets[:own_views]
        wanted = torch.cat([others, wanted[own_views:]])
    pairs = len(students) * len(targets) - own_views
    loss: Tensor = -(wanted * logs).sum(dim=(0, 2)).mean() / pairs
    return loss


def entropy(targets: Tensor) -> Tensor:
    """Mean entropy in nats of (n, K) probabilities, 0 to log K; 0 where there are none."""
    total: Tensor = torch.special.entr(targets).sum()
    return total / max(1, len(targets))


def _column_totals(scores: Tensor) -> Tensor:
    """Logarithm of each column's sum of exponentials over the rows of all processes: (K,)."""
    floor = scores.new_full((1, scores.shape[1]), torch.finfo(scores.dtype).min)
    top = all_max(torch.cat([scores, floor]).amax(dim=0))
    total = all_sum((scores - top).exp().sum(dim=0))
    return total.log() + top
