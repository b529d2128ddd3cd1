"""Bootstrap weights: how often each sample stands in each resampled set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.image import Array
    from featbank.metrics.metric import Values

_BLOCK_NUMBERS = 1 << 20  # weights of a block: 8 MB of float64


def resampled_weights(
    n: int, *, groups: Array | None = None, resamples: int = 1000, seed: int = 0
) -> Iterator[Values]:
    """Weights of samples drawn with replacement, or of whole groups, block by block.

    Args:
        n: N samples, >= 1.
        groups: (N,) group of each sample, sortable; None where samples are independent.
        resamples: Resampled sets in all.
        seed: Seed of the draws; the size of the blocks does not change them.

    Yields:
        (b, N) float64 whole numbers; the b add up to ``resamples``.

    References:
        Field and Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x (resampling whole clusters).
    """
    rng = np.random.default_rng(seed)
    codes = None if groups is None else np.unique(groups, return_inverse=True)[1]
    units = n if codes is None else int(codes.max()) + 1
    size = max(1, _BLOCK_NUMBERS // n)
    for start in range(0, resamples, size):
        rows = min(size, resamples - start)
        times = draw_times(rng, rows, units)
        yield times if codes is None else times[:, codes]


def draw_times(rng: np.random.Generator, rows: int, units: int) -> Values:
    """How often (b, U) each of U units is drawn in b sets of U draws with replacement."""
    picks = rng.integers(units, size=(rows, units))
    # (b, U) picks -> one bin each of b * U
    bins = picks + np.arange(rows)[:, None] * units
    times = np.bincount(bins.ravel(), minlength=rows * units)
    return times.reshape(rows, units).astype(np.float64)
