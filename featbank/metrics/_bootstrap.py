"""Bootstrap of confusion matrices over samples or groups, and percentile intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from featbank.metrics._confusion import confusion_cells
from featbank.metrics._resampling import draw_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array
    from featbank.metrics.metric import Values

_BLOCK_NUMBERS = 1 << 22  # numbers in the largest array of a block: 32 MB of float64


def bootstrap_confusions(
    truth: Array,
    predicted: Array,
    *,
    n_classes: int,
    groups: Array | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Iterator[Values]:
    """Confusion matrices of resampled sets, block by block.

    Without groups, N samples drawn with replacement fall into the cells of the confusion matrix
    as one multinomial draw, which costs O(K^2) instead of O(N). With groups, whole groups are
    drawn with replacement, as many as there are, so the N of a resample varies with their sizes.

    Args:
        truth: (N,) class indices in [0, K), N >= 1.
        predicted: (N,) class indices in [0, K).
        n_classes: K.
        groups: (N,) group of each sample, sortable; None where samples are independent.
        resamples: Resampled sets in all.
        seed: Seed of the draws.

    Returns:
        An iterator of (b, K, K) float64 counts; the b add up to ``resamples``.

    Raises:
        ProbeError: A class index is out of range, or the lengths differ.

    References:
        Field and Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x (resampling whole clusters).
    """
    cells = confusion_cells(truth, predicted, n_classes=n_classes)
    rng = np.random.default_rng(seed)
    if groups is None:
        drawn = _draw_samples(cells, n_classes**2, resamples=resamples, rng=rng)
    else:
        drawn = _draw_groups(cells, groups, n_classes**2, resamples=resamples, rng=rng)
    return (block.reshape(-1, n_classes, n_classes) for block in drawn)


def interval(values: Array, *, level: float = 0.95) -> tuple[Array, Array]:
    """Percentile interval over the first axis, leaving NaN out.

    Args:
        values: (R, ...) replicates, R >= 1.
        level: Coverage in (0, 1).

    Returns:
        Low and high (...); NaN where every replicate is NaN.
    """
    tails = ((1 - level) / 2, (1 + level) / 2)
    undefined = np.isnan(values).all(axis=0)
    low, high = np.nanquantile(np.where(undefined, 0.0, values), tails, axis=0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def _draw_samples(
    cells: Array, n_cells: int, *, resamples: int, rng: np.random.Generator
) -> Iterator[Values]:
    used, counts = np.unique(cells, return_counts=True)
    for size in _block_sizes(resamples, n_cells):
        block = np.zeros((size, n_cells))
        block[:, used] = rng.multinomial(len(cells), counts / len(cells), size=size)
        yield block


def _draw_groups(
    cells: Array, groups: Array, n_cells: int, *, resamples: int, rng: np.random.Generator
) -> Iterator[Values]:
    names, codes = np.unique(groups, return_inverse=True)
    n_groups = len(names)
    table = csr_array((np.ones(len(cells)), (codes, cells)), shape=(n_groups, n_cells))
    for size in _block_sizes(resamples, max(n_cells, n_groups)):
        yield draw_times(rng, size, n_groups) @ table


def _block_sizes(resamples: int, width: int) -> Iterator[int]:
    size = max(1, _BLOCK_NUMBERS // width)
    return (min(size, resamples - start) for start in range(0, resamples, size))
