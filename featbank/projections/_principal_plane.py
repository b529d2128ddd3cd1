"""The first two principal components, exactly and with a fixed sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array

# Rows added to the covariance at once: 25 MB of float64 at D = 768.
_BLOCK_ROWS = 4096


class PrincipalPlane:
    """The plane on which samples vary most.

    The covariance is summed in float64 by one thread, since other numbers of threads give other
    last bits, and its eigenvectors are exact. An eigenvector has no sign of its own: its entry of
    greatest magnitude (the first of equals) is made positive.

    Args:
        features: (n, D) finite numbers, n >= 1. Of one dimension the second coordinate is 0.
    """

    def __init__(self, features: Array) -> None:
        self.mean = features.mean(axis=0, dtype=np.float64)
        with threadpool_limits(1):
            self.axes = _axes(_covariance(features, self.mean))
        self.xy = self.place(features)

    def place(self, features: Array) -> Array:
        """(m, 2) float32 positions of samples (m, D) on the plane."""
        xy = np.zeros((len(features), 2), dtype=np.float32)
        for rows in _blocks(len(features)):
            centred = features[rows].astype(np.float64) - self.mean
            for column, axis in enumerate(self.axes):
                # Row by row: a matrix product rounds a row by the shape of the block it is in.
                xy[rows, column] = np.einsum("nd,d->n", centred, axis)
        return xy


def _covariance(features: Array, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """(D, D) sum of products about the mean; a scale does not turn the axes."""
    total = np.zeros((features.shape[1],) * 2)
    for rows in _blocks(len(features)):
        centred = features[rows].astype(np.float64) - mean
        total += centred.T @ centred
    return total


def _axes(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2 or 1, D) unit eigenvectors of the greatest eigenvalues, the greatest first."""
    dim = len(covariance)
    vectors = eigh(covariance, subset_by_index=[max(0, dim - 2), dim - 1])[1]
    axes: NDArray[np.float64] = vectors.T[::-1]
    strongest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return axes * np.where(strongest < 0, -1.0, 1.0)


def _blocks(length: int) -> list[slice]:
    return [slice(start, start + _BLOCK_ROWS) for start in range(0, length, _BLOCK_ROWS)]
