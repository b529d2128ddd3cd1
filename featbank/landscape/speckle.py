"""Radar speckle: multiplicative noise of some looks, correlated by the sensor's resolution.

Only products and sums, so that every machine computes the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.landscape.noise import bell_pairs, hash_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Equivalent number of looks of IW ground range detected products at high resolution, mean over the
# swaths (CLS 2016, Sentinel-1 Product Definition 2/7, S1-RS-MDA-52-7440).
LOOKS = 4.4
# What a pixel takes from each neighbour along an axis. A pixel of 10 m in a product that resolves
# 20 m × 22 m (same document) correlates with the next one by about .5; these taps give .48.
_TAP = 0.18
MARGIN_PX = 1


def blur(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The radar's resolution: each pixel with its neighbours, (…, H + 2, W + 2) to (…, H, W)."""
    outer, middle = np.float32(_TAP), np.float32(1 - 2 * _TAP)
    rows = (image[..., :-2, :] + image[..., 2:, :]) * outer
    rows += image[..., 1:-1, :] * middle
    seen: NDArray[np.float32] = (rows[..., :-2] + rows[..., 2:]) * outer
    seen += rows[..., 1:-1] * middle
    return seen


def speckle(key: int, count: int, height: int, width: int) -> NDArray[np.float32]:
    """Independent fields of gamma noise of mean 1 and variance 1 / ``LOOKS``.

    The gamma distribution is that of Wilson and Hilferty 1931 (doi:10.1073/pnas.17.12.684): its
    cube root is nearly normal.

    Args:
        key: Key of the chip's noise.
        count: C fields.
        height: H.
        width: W, even.

    Returns:
        (C, H, W) factors.
    """
    rows, columns = height + 2 * MARGIN_PX, width + 2 * MARGIN_PX
    words = hash_words([key], np.arange(count * rows), np.arange(columns // 2))[0]
    normal = blur(bell_pairs(words).reshape(count, rows, columns))
    # Blurring leaves this share of the variance on each axis.
    kept = 2 * _TAP**2 + (1 - 2 * _TAP) ** 2
    root = normal * np.float32((1 / (9 * LOOKS)) ** 0.5 / kept)
    root += np.float32(1 - 1 / (9 * LOOKS))
    # Beyond six deviations the root would turn negative; it never does in practice.
    np.maximum(root, np.float32(0.2), out=root)
    factor: NDArray[np.float32] = root * root * root
    return factor
