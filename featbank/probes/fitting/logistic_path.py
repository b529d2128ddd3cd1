"""A path of logistic regressions: one problem for each strength of the penalty, solved together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from featbank.probes.fitting.logistic_basis import principal
from featbank.probes.fitting.logistic_loss import Loss, bearing
from featbank.probes.fitting.logistic_solve import (
    Posed,
    Settings,
    Solution,
    joined,
    problems_at_once,
    solve,
)
from featbank.probes.fitting.sgd import few_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from featbank.image import Array

# Every 8th strength is solved from nothing, then those between: 4.3 gradients a problem on 45
# strengths x 19 labels x 768 features, against 13.3 from nothing, 4.9 from every 4th and 4.6 one
# strength after the other, whose products are too narrow for the BLAS.
_STRIDES = (8, 4, 2, 1)
# Solved neighbours that a start is interpolated from: by a cubic; two need a fifth more gradients.
_NEIGHBOURS = 4


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The regressions of one strength.

    Attributes:
        coef: (M k, D) float64 weights for features as given.
        intercept: (M k,) float64.
        converged: Whether all M problems are solved.
        gradients: Gradients computed for the slowest.
    """

    coef: Array
    intercept: Array
    converged: bool
    gradients: int


def fit_path(
    X: Array, truth: Array, strengths: Sequence[float], settings: Settings, *, exclusive: bool
) -> Iterator[Fit]:
    """Minimise C times the summed cross-entropy plus half the squared norm of the weights.

    Memory above X: one copy of it turned to its principal directions, of the settings' dtype,
    256 MB of descent (or one problem's, if that is more), and twice the result.

    Args:
        X: (N, D) finite features.
        truth: (N, K) 0 and 1, no column constant.
        strengths: C of each regression, > 0, in any order.
        settings: How far they are solved.
        exclusive: Whether the K columns are the classes of one problem, K > 2, rather than a
            problem each.

    Yields:
        Regressions in the order of ``strengths``, of one problem of K columns or K of one.
    """
    if not truth.shape[1]:
        yield from (_nothing(X.shape[1]) for _ in strengths)
        return
    wanted = sorted(set(strengths))
    with few_threads(X.size * truth.shape[1]):
        path = _Path(X, truth, settings, exclusive=exclusive)
        solved = path.solve(wanted)
    for strength in strengths:
        yield path.fit(solved[wanted.index(strength)])


class _Path:
    """The problems of a fit, without their penalties."""

    def __init__(self, X: Array, truth: Array, settings: Settings, *, exclusive: bool) -> None:
        self._settings = settings
        self._basis = principal(X, settings.dtype)
        features = self._basis.features
        columns = torch.from_numpy(np.ascontiguousarray(truth)).to(features.device)
        # (R, K) -> (R, M, k)
        shape = (len(self._basis.variance), *((1, -1) if exclusive else (-1, 1)))
        self._loss = Loss(features=features, bearing=bearing(features, columns).view(shape))
        share = self._loss.bearing[-1]
        self._start = torch.zeros_like(self._loss.bearing)
        # The optimum of an infinite penalty: probabilities are the shares of the classes.
        self._start[-1] = share.log() if exclusive else torch.logit(share)

    def solve(self, strengths: Sequence[float]) -> list[Solution]:
        """Solutions at increasing strengths, the outer ones before those between."""
        solved: dict[int, Solution] = {}
        logs = np.log(strengths)
        for stride in _STRIDES:
            level = [i for i in _level(len(strengths), stride) if i not in solved]
            if level:
                starts = [self._started(logs, i, solved) for i in level]
                found = self._solve_level([strengths[i] for i in level], torch.cat(starts, dim=1))
                solved |= dict(zip(level, found, strict=True))
        return [solved[i] for i in range(len(strengths))]

    def fit(self, solution: Solution) -> Fit:
        """The regressions of a solution, for features as given."""
        coef, intercept = self._basis.weights(solution.W.flatten(1))
        if solution.W.shape[2] > 1:
            # Raising all intercepts alike changes no probability; scikit-learn's sum to 0 too.
            intercept -= intercept.mean()
        return Fit(
            coef=coef,
            intercept=intercept,
            converged=bool((solution.largest <= self._settings.tol).all()),
            gradients=int(solution.gradients.max()),
        )

    def _started(
        self, logs: NDArray[np.float64], i: int, solved: Mapping[int, Solution]
    ) -> torch.Tensor:
        """Where strength i sets out: a polynomial in log C through its solved neighbours."""
        near = sorted(solved, key=lambda j: abs(logs[j] - logs[i]))[:_NEIGHBOURS]
        if not near:
            return self._start
        shares = _lagrange(logs[i], logs[near])
        known = torch.stack([solved[j].W for j in near])
        weights = torch.tensor(shares, dtype=known.dtype, device=known.device)
        return (weights[:, None, None, None] * known).sum(dim=0)

    def _solve_level(self, strengths: Sequence[float], W: torch.Tensor) -> list[Solution]:
        """Solve all problems at some strengths side by side, as many at once as fit in memory."""
        m = self._loss.bearing.shape[1]
        problems = torch.arange(m, device=W.device).repeat(len(strengths))
        C = torch.tensor(strengths, dtype=torch.float64, device=W.device).repeat_interleave(m)
        width = problems_at_once(W.shape[0], W.shape[2], self._settings.dtype)
        parts = []
        for start in range(0, len(C), width):
            part = slice(start, start + width)
            posed = Posed(basis=self._basis, loss=self._loss.of(problems[part]), C=C[part])
            parts.append(solve(posed, W[:, part], self._settings))
        return joined(parts).split(m)


def _nothing(d: int) -> Fit:
    """The fit of no problem at all."""
    return Fit(coef=np.zeros((0, d)), intercept=np.zeros(0), converged=True, gradients=0)


def _level(count: int, stride: int) -> list[int]:
    """Every stride-th of ``count`` indices, and the last."""
    return sorted({*range(0, count, stride), count - 1})


def _lagrange(x: float, nodes: NDArray[np.float64]) -> list[float]:
    """Weights of the values at the nodes in the polynomial through them, at x."""
    return [
        float(np.prod([(x - b) / (a - b) for j, b in enumerate(nodes) if j != i]))
        for i, a in enumerate(nodes)
    ]
