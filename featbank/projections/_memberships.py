"""UMAP's fuzzy graph: how strongly each sample is tied to its nearest neighbours.

The formulas are umap-learn's, written for NumPy. Its own functions are compiled anew in every
process, which takes longer than they save below a million samples, and they floor the width of a
sample by the mean distance of whatever batch it comes in, so that placing samples in tiles would
move them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.image import Array

# umap/umap_.py: the search for a width stops at this error of its sum, or after these rounds; and
# a width is no less than this share of the mean distance.
_TOLERANCE, _ROUNDS, _LEAST_WIDTH = 1e-5, 64, 1e-3


def memberships(distances: Array, *, k: int, nearest: Array, typical: float) -> NDArray[np.float64]:
    """Strength in (0, 1] of the tie to each neighbour: exp(-(d - nearest) / width).

    The width of a sample is such that the strengths sum to log2(k).

    Args:
        distances: (n, m) distances in increasing order, without the sample itself.
        k: Neighbours with the sample itself.
        nearest: (n,) distance up to which neighbours are tied fully.
        typical: Mean distance, which bounds the width of samples with ``nearest`` of 0.

    Returns:
        (n, m) strengths.

    References:
        McInnes et al. 2018, arXiv:1802.03426, section 3.1 and algorithm 3; lmcinnes/umap,
        umap/umap_.py, smooth_knn_dist and compute_membership_strengths.
    """
    beyond = np.maximum(distances - nearest[:, None], 0.0)
    # The mean counts the sample itself at distance 0, as umap-learn's does.
    own = distances.sum(axis=1) / (distances.shape[1] + 1)
    least = _LEAST_WIDTH * np.where(nearest > 0, own, typical)
    width = np.maximum(_widths(beyond, np.log2(k)), least)[:, None]
    scaled = np.divide(beyond, width, out=np.zeros_like(beyond), where=width > 0)
    strengths: NDArray[np.float64] = np.exp(-scaled)
    return strengths


def _widths(beyond: NDArray[np.float64], target: float) -> NDArray[np.float64]:
    """(n,) width of each row at which its strengths sum to the target, by bisection."""
    low, high = np.zeros(len(beyond)), np.full(len(beyond), np.inf)
    width, open_ = np.ones(len(beyond)), np.arange(len(beyond))
    for _ in range(_ROUNDS):
        error = np.exp(-beyond[open_] / width[open_, None]).sum(axis=1) - target
        wrong = np.abs(error) >= _TOLERANCE
        open_, error = open_[wrong], error[wrong]
        if not len(open_):
            break
        high[open_] = np.where(error > 0, width[open_], high[open_])
        low[open_] = np.where(error > 0, low[open_], width[open_])
        middle = (low[open_] + high[open_]) / 2
        width[open_] = np.where(np.isinf(high[open_]), 2 * width[open_], middle)
    return width


def fuzzy_graph(index: Array, distances: Array) -> csr_matrix:
    """The union of all samples' ties: a + b - ab of both directions.

    Args:
        index: (n, k - 1) nearest neighbours without the sample itself.
        distances: (n, k - 1) their distances, in increasing order.

    Returns:
        (n, n) float32, symmetric, without a diagonal.

    References:
        McInnes et al. 2018, arXiv:1802.03426, algorithm 1; lmcinnes/umap, umap/umap_.py,
        fuzzy_simplicial_set with its defaults.
    """
    n, m = distances.shape
    # Distances of 0 are duplicates; the nearest other sample is tied fully.
    others = np.where(distances > 0, distances, np.inf).min(axis=1)
    nearest = np.where(np.isinf(others), 0.0, others)
    typical = float(distances.sum() / (n * (m + 1)))
    strengths = memberships(distances, k=m + 1, nearest=nearest, typical=typical)
    ends = np.arange(0, n * m + 1, m)
    ties = csr_matrix((strengths.astype(np.float32).ravel(), index.ravel(), ends), shape=(n, n))
    ties.sort_indices()
    ties.eliminate_zeros()
    back = ties.T.tocsr()
    return (ties + back - ties.multiply(back)).tocsr()
