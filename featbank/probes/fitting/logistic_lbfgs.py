"""Logistic problems descended by PyTorch's L-BFGS, which stops on the way to the optimum.

Where a source reports numbers of weights that its solver had not finished, its numbers are met by
the same descent alone: the optimum is another probe, by half a point of accuracy or so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from featbank.probes.fitting.device import device
from featbank.probes.fitting.logistic_path import Fit
from featbank.probes.fitting.sgd import few_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from featbank.image import Array

# torchgeo-bench 0660813, src/torchgeo_bench/linear.py, LogisticRegression.fit.
_MEMORY, _RATE, _GRADIENT = 10, 1.0, 1e-7


def descend_lbfgs(
    X: Array, codes: Array, *, n_classes: int, C: float, max_iter: int, tol: float
) -> Fit:
    """Descend from zeros in float32 until the loss, or the step, changes by less than ``tol``.

    The loss is the mean cross-entropy plus |W|^2 / (2 C n), with a weight vector for each class,
    of two classes too; with several labels, the mean binary cross-entropy over samples and labels
    plus |W|^2 / (2 C n K), one descent for all. It also ends where no entry of the gradient is
    above 1e-7.

    Args:
        X: (N, D) finite features.
        codes: (N,) class indices, or (N, K) 0 and 1.
        n_classes: K.
        C: Inverse strength of the penalty, > 0.
        max_iter: Steps at most; losses at most are a quarter more.
        tol: Largest change of the loss, or of any weight, at which it ends.

    Returns:
        (K, D) weights, (K,) intercepts.

    References:
        torchgeo/torchgeo-bench 0660813, src/torchgeo_bench/linear.py; Nocedal and Wright 2006,
        Numerical Optimization, algorithms 7.5 and 3.5 (``torch.optim.LBFGS``).
    """
    place = device()
    x = torch.from_numpy(np.require(X, np.float32, ["C", "W"])).to(place)
    weights = torch.zeros(n_classes, x.shape[1], device=place, requires_grad=True)
    biases = torch.zeros(n_classes, device=place, requires_grad=True)
    solver = torch.optim.LBFGS(
        [weights, biases],
        lr=_RATE,
        max_iter=max_iter,
        history_size=_MEMORY,
        line_search_fn="strong_wolfe",
        tolerance_grad=_GRADIENT,
        tolerance_change=tol,
    )
    fit_loss = _loss(x, torch.from_numpy(codes).to(place), C)

    def closure() -> float:
        solver.zero_grad()
        loss = fit_loss(weights, biases)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        return loss.item()

    with few_threads(x.numel() * n_classes), torch.enable_grad():
        solver.step(closure)  # type: ignore[no-untyped-call] # likewise
    spent = solver.state[weights]
    return Fit(
        coef=weights.detach().cpu().double().numpy(),
        intercept=biases.detach().cpu().double().numpy(),
        converged=spent["n_iter"] < max_iter and spent["func_evals"] < max_iter * 5 // 4,
        gradients=spent["func_evals"],
    )


def _loss(
    x: torch.Tensor, codes: torch.Tensor, C: float
) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The penalised mean loss by weights and intercepts."""
    several = codes.ndim == 2
    truth = codes.to(torch.float32 if several else torch.int64)
    penalty = 0.5 / C / truth.numel()

    def loss(weights: torch.Tensor, biases: torch.Tensor) -> torch.Tensor:
        scores = F.linear(x, weights, biases)
        if several:
            mean = F.binary_cross_entropy_with_logits(scores, truth)
        else:
            mean = F.cross_entropy(scores, truth)
        return mean + penalty * weights.square().sum()

    return loss
