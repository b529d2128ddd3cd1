"""Many logistic problems minimised side by side by preconditioned L-BFGS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from featbank.probes.fitting.logistic_loss import Loss

# Steps and changes of the gradient that a problem remembers.
MEMORY = 10
# A step is kept while the slope at its end rises to no more than this share of that at its start.
_STEEPEST = 0.5
# Steps after which the preconditioner is made anew where the descent has come to. Easy problems end
# before; on nearly separable ones (AID, 30 classes, C = 100, tol 1e-6) 257 gradients instead of
# more than 600. Every 10 steps cost easy problems a sixth more.
_RENEWAL = 40


class Preconditioner:
    """The inverse of the curvature as if scores and features were independent.

    Then the Hessian of a problem is the Kronecker product of the features' variances and of the
    mean curvature of the loss by its scores, plus the penalty: diagonal once turned to the
    eigenvectors of both.

    Args:
        spread: (M, k, k) float64 mean curvatures.
        variance: (R,) float64 mean squares of the features.
        penalty: (R, M) float64 curvature of the penalty.
    """

    def __init__(self, spread: torch.Tensor, variance: torch.Tensor, penalty: torch.Tensor) -> None:
        curvature, self._turn = torch.linalg.eigh(spread)
        largest = curvature.amax(dim=1, keepdim=True).clamp_min(1e-12)
        # Raising all scores alike changes nothing: that direction of k has no curvature.
        curvature = torch.maximum(curvature, 1e-6 * largest)
        self._inverse = 1 / (variance[:, None, None] * curvature + penalty[:, :, None])

    def __call__(self, G: torch.Tensor) -> torch.Tensor:
        """The step (R, M, k) that a gradient asks for."""
        if G.shape[2] == 1:
            return G * self._inverse.to(G.dtype)
        turn = self._turn.to(G.dtype)
        turned = torch.einsum("rmk,mkj->rmj", G, turn) * self._inverse.to(G.dtype)
        return balanced(torch.einsum("rmj,mkj->rmk", turned, turn))

    def keep(self, kept: torch.Tensor) -> None:
        """Go on with these problems alone."""
        self._turn, self._inverse = self._turn[kept], self._inverse[:, kept]


class History:
    """The last steps of each problem and what they changed, which stand for the curvature."""

    def __init__(self) -> None:
        self._pairs: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []

    def add(self, step: torch.Tensor, change: torch.Tensor) -> None:
        """Remember one step and the change of the gradient that it made."""
        product = inner(step, change)
        share = torch.where(product > 0, 1 / product, torch.zeros_like(product))
        self._pairs = [*self._pairs[1 - MEMORY :], (step, change, share)]

    def direction(
        self, G: torch.Tensor, precondition: Callable[[torch.Tensor], torch.Tensor]
    ) -> torch.Tensor:
        """Where to go (R, M, k) from gradients, by the two-loop recursion."""
        q, weights = G.clone(), []
        for step, change, share in reversed(self._pairs):
            weights.append(share * inner(step, q))
            q.addcmul_(change, weights[-1], value=-1)
        q = precondition(q)
        for (step, change, share), weight in zip(self._pairs, reversed(weights), strict=True):
            q.addcmul_(step, weight - share * inner(change, q))
        return q.neg_()

    def keep(self, kept: torch.Tensor) -> None:
        """Go on with these problems alone."""
        self._pairs = [(s[:, kept], c[:, kept], share[kept]) for s, c, share in self._pairs]


def balanced(G: torch.Tensor) -> torch.Tensor:
    """Gradients or steps (R, M, k) without what raises all k scores alike.

    That changes no probability, and the penalty keeps it 0; but having no curvature it would turn
    the rounding of gradients into long steps.
    """
    return G - G.mean(dim=2, keepdim=True)


def inner(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Inner products (M,) of (R, M, k), in their dtype; shaped (M, 1) for products with it."""
    return (a * b).sum(dim=(0, 2))[:, None]


class Descent:
    """The state of problems that are still descending.

    Args:
        loss: Losses of the M problems.
        penalty: (R, M) float64 curvature of each problem's penalty by each of its weights.
        variance: (R,) float64 mean squares of the features.
        W: (R, M, k) where to start.
    """

    def __init__(
        self, loss: Loss, penalty: torch.Tensor, variance: torch.Tensor, W: torch.Tensor
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.W = W
        self._variance = variance
        self._steps = 0
        self.G, self._precondition = self._renewed(W)
        self._history = History()
        self._direction, self._slope, self._length = self._set_out()

    def step(self) -> None:
        """Try one step of each problem; where it goes too far, the next is shorter."""
        trial = self.W + self._length * self._direction
        self._steps += 1
        if self._steps % _RENEWAL:
            G = self._penalised(self.loss.gradient(trial), trial)
        else:
            G, self._precondition = self._renewed(trial)
        slope = inner(G, self._direction)
        is_kept = slope <= -_STEEPEST * self._slope
        zero = torch.zeros((), dtype=G.dtype, device=G.device)
        self._history.add(
            torch.where(is_kept, trial - self.W, zero), torch.where(is_kept, G - self.G, zero)
        )
        self.W, self.G = torch.where(is_kept, trial, self.W), torch.where(is_kept, G, self.G)
        # The slope is nearly linear along the line, so its root is where the line turns up.
        root = (self._slope / (self._slope - slope)).nan_to_num(0.1).clamp(0.1, 0.9)
        direction, start, length = self._set_out()
        self._direction = torch.where(is_kept, direction, self._direction)
        self._slope = torch.where(is_kept, start, self._slope)
        self._length = torch.where(is_kept, length, self._length * root)

    def keep(self, kept: torch.Tensor) -> None:
        """Go on with some of the problems, (m,) indices."""
        self.loss, self.penalty = self.loss.of(kept), self.penalty[:, kept]
        self.W, self.G, self._direction = self.W[:, kept], self.G[:, kept], self._direction[:, kept]
        self._length, self._slope = self._length[kept], self._slope[kept]
        self._precondition.keep(kept)
        self._history.keep(kept)

    def _set_out(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Direction (R, M, k), and slope and length (M, 1) of a first step along it."""
        direction = self._history.direction(self.G, self._precondition)
        slope = inner(self.G, direction)
        return direction, slope, torch.ones_like(slope)

    def _renewed(self, W: torch.Tensor) -> tuple[torch.Tensor, Preconditioner]:
        """Gradient and preconditioner at some weights."""
        gradient, spread = self.loss.gradient_and_spread(W)
        precondition = Preconditioner(spread, self._variance, self.penalty)
        return self._penalised(gradient, W), precondition

    def _penalised(self, gradient: torch.Tensor, W: torch.Tensor) -> torch.Tensor:
        gradient.addcmul_(self.penalty[:, :, None].to(W.dtype), W)
        return gradient if W.shape[2] == 1 else balanced(gradient)
