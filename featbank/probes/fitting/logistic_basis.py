"""Features turned to their principal directions, in which a logistic problem is nearly diagonal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from featbank.probes.fitting.device import device

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array

# Rows that are turned at once: 25 MB in float64 at 768 features, and wide enough for the BLAS.
_ROWS = 4096


@dataclass(frozen=True, kw_only=True)
class Basis:
    """Centred features in their principal directions, of at most unit variance.

    Attributes:
        features: (N, R + 1), R = min(N, D): samples in each direction divided by ``scale``, and a
            last column of ones for the intercept.
        variance: (R + 1,) float64 mean square of each column.
        mean: (D,) float64 mean of the features as given.
        directions: (D, R) float64 orthonormal columns.
        scale: Largest standard deviation of a direction, > 0.
    """

    features: torch.Tensor
    variance: torch.Tensor
    mean: torch.Tensor
    directions: torch.Tensor
    scale: float

    def weights(self, W: torch.Tensor) -> tuple[Array, Array]:
        """Weights and intercepts for features as given.

        Args:
            W: (R + 1, M) weights in this basis, the intercept last.

        Returns:
            (M, D) and (M,) float64.
        """
        W = W.double()
        coef = self.directions @ W[:-1] / self.scale
        intercept = W[-1] - self.mean @ coef
        return coef.T.contiguous().cpu().numpy(), intercept.cpu().numpy()

    def largest(self, G: torch.Tensor) -> torch.Tensor:
        """Largest entry (M,) of gradients by weights of centred features and by the intercept.

        Args:
            G: (R + 1, M) gradients in this basis.
        """
        G = G.double()
        by_weights = (self.directions @ G[:-1]).abs().amax(dim=0) * self.scale
        return torch.maximum(by_weights, G[-1].abs())


def principal(X: Array, dtype: torch.dtype) -> Basis:
    """Turn features to their principal directions.

    Sums, directions and products are float64 whatever the features are, and each turned feature
    is rounded once, relative to its own size: directions of little variance keep their digits
    beside those of much.

    Args:
        X: (N, D) finite features.
        dtype: Of the turned features.
    """
    place = device()
    mean = torch.from_numpy(X.mean(axis=0, dtype=np.float64)).to(place)
    variance, directions = _directions(X, mean)
    scale = float(variance.max().clamp_min(0).sqrt()) or 1.0
    features = torch.ones(len(X), len(variance) + 1, dtype=dtype, device=place)
    turn = directions / scale
    for rows, block in _centred(X, mean):
        features[rows, :-1] = (block @ turn).to(dtype)
    variance = torch.cat([variance.clamp_min(0) / scale**2, variance.new_ones(1)])
    return Basis(
        features=features, variance=variance, mean=mean, directions=directions, scale=scale
    )


def _directions(X: Array, mean: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Variance (R,) along orthonormal directions (D, R) that span all samples."""
    n, d = X.shape
    if n <= d:
        whole = torch.cat([block for _, block in _centred(X, mean)])
        _, deviations, directions = torch.linalg.svd(whole, full_matrices=False)
        return deviations.square() / n, directions.T.contiguous()
    covariance = mean.new_zeros(d, d)
    for _, block in _centred(X, mean):
        covariance.addmm_(block.T, block, alpha=1 / n)
    variance, directions = torch.linalg.eigh(covariance)
    return variance, directions


def _centred(X: Array, mean: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor]]:
    for start in range(0, len(X), _ROWS):
        rows = slice(start, start + _ROWS)
        # A copy in float64, since PyTorch warns of arrays that may not be written.
        yield rows, torch.from_numpy(X[rows].astype(np.float64)).to(mean.device) - mean
