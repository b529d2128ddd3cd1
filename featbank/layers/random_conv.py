"""Random convolutional features: filters are whitened patches of the training images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from featbank.recipes.recipe import round_significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FILTERS = 256
KERNEL_PX = 3
STRIDE_PX = 2
# Patches that the whitening and the thresholds are fitted on.
_PATCHES = 20_000
# Added to the eigenvalues, as a share of their mean; Coates and Ng 2012 add 0.1 to those of
# contrast-normalised pixels.
_WHITENING_FLOOR = 0.01


class RandomConv(nn.Module):
    """One convolution with fixed filters, rectified on both sides, averaged over the image.

    Args:
        filters: F filters, two features each.
        bands: C bands of the images.
        kernel: Side k of the filters in pixels.

    References:
        Rolf et al. 2021 (MOSAIKS), doi:10.1038/s41467-021-24638-z, methods; Coates and Ng 2012,
        doi:10.1007/978-3-642-35289-8_30.
    """

    filters: Tensor
    bias: Tensor
    centre: Tensor
    scale: Tensor

    def __init__(self, *, filters: int, bands: int, kernel: int) -> None:
        super().__init__()
        self.register_buffer("filters", torch.zeros(filters, bands, kernel, kernel))
        self.register_buffer("bias", torch.zeros(filters))
        self.register_buffer("centre", torch.zeros(2 * filters))
        self.register_buffer("scale", torch.ones(2 * filters))

    def forward(self, images: Tensor) -> Tensor:
        """Features of images.

        Args:
            images: (B, C, H, W) float32, scaled as the fitted chips were; H, W at least k.

        Returns:
            (B, 2 F): the means of ``relu(response)``, then those of ``relu(-response)``, each
            centred and scaled.
        """
        response = functional.conv2d(images, self.filters, self.bias, stride=STRIDE_PX)
        above = functional.relu(response).mean(dim=(2, 3))
        # relu(-r) = relu(r) - r, so the second side needs no second pass over the pixels.
        below = above - response.mean(dim=(2, 3))
        return (torch.cat([above, below], dim=1) - self.centre) / self.scale


def fit_random_conv(
    chips: Sequence[NDArray[np.float32]], *, filters: int, kernel: int, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Draw and whiten the filters, and fit the scaling of the features.

    Args:
        chips: (C, H, W) training chips of one size, scaled as the network will see them.
        filters: F filters to draw.
        kernel: Side k of the filters in pixels, at most H and W.
        seed: Seed of all draws.

    Returns:
        ``filters`` (F, C, k, k), ``bias`` (F,), ``centre`` and ``scale`` (2 F,): the buffers of
        ``RandomConv``, at 6 significant digits.

    References:
        Coates and Ng 2012, doi:10.1007/978-3-642-35289-8_30, sections 3.2 (whitening) and 4.
    """
    generator = np.random.default_rng(seed)
    patches = _draw_patches(chips, kernel, generator)
    mean, whiten = _whitening(patches)
    drawn = patches[generator.choice(len(patches), filters, replace=len(patches) < filters)]
    white = (drawn - mean) @ whiten
    white /= np.linalg.norm(white, axis=1, keepdims=True) + 1e-12
    weights = white @ whiten
    response = (patches - mean) @ weights.T
    quantile = generator.uniform(0.2, 0.98, size=filters)
    threshold = np.array([np.quantile(response[:, f], quantile[f]) for f in range(filters)])
    bands = chips[0].shape[0]
    state = {
        "filters": _rounded(weights.reshape(filters, bands, kernel, kernel)),
        "bias": _rounded(-weights @ mean - threshold),
    }
    return state | _scaling(chips, state)


def _draw_patches(
    chips: Sequence[NDArray[np.float32]], kernel: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """(P, C k k) patches, the same number from each chip."""
    each = -(-_PATCHES // len(chips))
    patches = []
    for chip in chips:
        _, height, width = chip.shape
        rows = generator.integers(0, height - kernel + 1, each)
        columns = generator.integers(0, width - kernel + 1, each)
        windows = np.lib.stride_tricks.sliding_window_view(chip, (kernel, kernel), axis=(1, 2))
        patches.append(windows[:, rows, columns].swapaxes(0, 1).reshape(each, -1))
    return np.concatenate(patches).astype(np.float64)


def _whitening(patches: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean patch, and the symmetric matrix that whitens (ZCA)."""
    mean = patches.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False))
    floor = _WHITENING_FLOOR * values.mean() + np.finfo(np.float64).tiny
    return mean, (vectors / np.sqrt(np.maximum(values, 0) + floor)) @ vectors.T


def _scaling(
    chips: Sequence[NDArray[np.float32]], state: dict[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """``centre`` and ``scale`` that give the chips' features mean 0 and variance 1."""
    filters, bands, kernel, _ = state["filters"].shape
    network = RandomConv(filters=filters, bands=bands, kernel=kernel)
    network.filters.copy_(torch.from_numpy(state["filters"]))
    network.bias.copy_(torch.from_numpy(state["bias"]))
    with torch.inference_mode():
        features = np.concatenate([network(torch.from_numpy(chip[None])).numpy() for chip in chips])
    spread = features.std(axis=0, dtype=np.float64)
    return {
        "centre": _rounded(features.mean(axis=0, dtype=np.float64)),
        "scale": _rounded(np.where(spread > 0, spread, 1.0)),
    }


def _rounded(values: NDArray[Any]) -> NDArray[np.float32]:
    digits = np.array(round_significant(values.ravel().tolist()))
    return digits.reshape(values.shape).astype(np.float32)
