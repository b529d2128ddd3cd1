"""Logistic problems solved to a tolerance, in finer arithmetic where they need it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from featbank.probes.fitting.logistic_descent import MEMORY, Descent

if TYPE_CHECKING:
    from featbank.probes.fitting.logistic_basis import Basis
    from featbank.probes.fitting.logistic_loss import Loss

# Memory of the problems that descend at once; more wait for their turn.
_STATE_BYTES = 256 * 2**20
# Arrays of the size of the weights that a descent holds beside its history: weights, gradient,
# direction, trial and its gradient, preconditioner and penalty, and what a step computes with.
_ARRAYS = 12
# In float32 a problem is stuck once its largest gradient entry has not fallen by a hundredth in so
# many gradients: rounding, not its course, may decide where it goes. In float64 it has its time.
_PATIENCE, _PROGRESS = 100, 0.99
# Gradients are means of products whose roundings are about this share of the features' scale.
_FLOOR = 2.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How far problems are solved.

    Attributes:
        tol: Largest entry of the gradient of the mean loss, by the weights of centred features
            and by the intercept, at which a problem is solved.
        max_iter: Gradients after which a problem is left unsolved.
        dtype: Of the turned features, and of the arithmetic until that is too coarse for ``tol``.
    """

    tol: float
    max_iter: int
    dtype: torch.dtype


@dataclass(frozen=True, kw_only=True)
class Posed:
    """M problems.

    Attributes:
        basis: Features in their principal directions.
        loss: Their losses.
        C: (M,) float64 inverse strengths of the penalties.
    """

    basis: Basis
    loss: Loss
    C: torch.Tensor

    def of(self, problems: torch.Tensor) -> Posed:
        """Some of the problems, (m,) indices."""
        return replace(self, loss=self.loss.of(problems), C=self.C[problems])

    def descent(self, W: torch.Tensor) -> Descent:
        """A descent from weights (R, M, k), in their dtype."""
        # C times the sum is N C times the mean, and weights are those of features over a scale.
        strength = self.C * len(self.loss.features) * self.basis.scale**2
        penalty = (1 / strength).repeat(len(W), 1)
        penalty[-1] = 0
        return Descent(self.loss, penalty, self.basis.variance, W)


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Where M problems ended.

    Attributes:
        W: (R, M, k) float64 weights in the basis.
        largest: (M,) largest entry of the gradient there.
        gradients: (M,) gradients computed.
    """

    W: torch.Tensor
    largest: torch.Tensor
    gradients: torch.Tensor

    def put(self, problems: torch.Tensor, other: Solution) -> None:
        """Take the place of some of the problems, (m,) indices."""
        self.W[:, problems] = other.W
        self.largest[problems], self.gradients[problems] = other.largest, other.gradients

    def split(self, m: int) -> list[Solution]:
        """Solutions of m problems each."""
        parts = zip(
            torch.split(self.W, m, dim=1),
            torch.split(self.largest, m),
            torch.split(self.gradients, m),
            strict=True,
        )
        return [Solution(W=w, largest=g, gradients=n) for w, g, n in parts]


def joined(parts: list[Solution]) -> Solution:
    """One solution of all problems of several."""
    return Solution(
        W=torch.cat([part.W for part in parts], dim=1),
        largest=torch.cat([part.largest for part in parts]),
        gradients=torch.cat([part.gradients for part in parts]),
    )


def problems_at_once(rows: int, columns: int, dtype: torch.dtype) -> int:
    """Problems of (rows, columns) weights whose descents share 256 MB; one at least."""
    per_weight = (2 * MEMORY + _ARRAYS) * torch.finfo(dtype).bits // 8
    return max(1, _STATE_BYTES // (rows * columns * per_weight))


def solve(posed: Posed, W: torch.Tensor, settings: Settings) -> Solution:
    """Solve problems from weights (R, M, k).

    In float32 a problem descends as far as rounding lets it; where that is short of ``tol`` it
    goes on in float64, on the same turned features converted block by block.
    """
    spent = torch.zeros_like(posed.C, dtype=torch.long)
    if settings.dtype == torch.float64:
        return _descend(posed, W, settings, spent)
    floor = _FLOOR * torch.finfo(settings.dtype).eps * posed.basis.scale
    found = _descend(posed, W, replace(settings, tol=max(settings.tol, floor)), spent)
    is_left = ~(found.largest <= settings.tol) & (found.gradients < settings.max_iter)
    if is_left.any():
        left = is_left.nonzero()[:, 0]
        finer = replace(settings, dtype=torch.float64)
        width = problems_at_once(W.shape[0], W.shape[2], finer.dtype)
        for part in torch.split(left, width):
            again = _descend(posed.of(part), found.W[:, part], finer, found.gradients[part])
            found.put(part, again)
    return found


def _descend(posed: Posed, W: torch.Tensor, settings: Settings, spent: torch.Tensor) -> Solution:
    """Descend until each problem is solved, stuck or out of gradients; it then leaves."""
    found = Solution(W=W.double().clone(), largest=_infinite(posed.C), gradients=spent.clone())
    going = torch.arange(len(posed.C), device=W.device)
    least, idle = _infinite(posed.C), torch.zeros_like(spent)
    descent = posed.descent(W.to(settings.dtype))
    patience = _PATIENCE if settings.dtype == torch.float32 else settings.max_iter
    while True:
        largest = posed.basis.largest(descent.G.flatten(1)).view(len(going), -1).amax(dim=1)
        found.largest[going] = largest
        found.gradients[going] += 1
        idle = torch.where(largest < _PROGRESS * least, 0, idle + 1)
        least = torch.minimum(least, largest)
        is_last = (idle >= patience) | (found.gradients[going] >= settings.max_iter)
        leaves = (largest <= settings.tol) | is_last
        if leaves.any():
            found.W[:, going[leaves]] = descent.W[:, leaves].double()
            stay = (~leaves).nonzero()[:, 0]
            if not len(stay):
                return found
            going, least, idle = going[stay], least[stay], idle[stay]
            descent.keep(stay)
        descent.step()


def _infinite(like: torch.Tensor) -> torch.Tensor:
    return torch.full_like(like, torch.inf)
