"""Patch embeddings for other bands and other patch sizes than they were trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def mean_inflated(kernel: Tensor, bands: int) -> Tensor:
    """The mean kernel for every band, scaled so that a grey chip gives the same tokens.

    Args:
        kernel: (D, C, p, p).
        bands: Number of new bands N.

    Returns:
        (D, N, p, p): mean over C, times C / N.
    """
    mean = kernel.mean(dim=1, keepdim=True)
    return mean.expand(-1, bands, -1, -1) * (kernel.shape[1] / bands)


def wavelength_inflated(
    kernel: Tensor, known_um: Sequence[float], wanted_um: Sequence[float]
) -> Tensor:
    """Kernels interpolated linearly between those of the nearest wavelengths.

    Args:
        kernel: (D, C, p, p).
        known_um: C centre wavelengths in µm, in any order, all different.
        wanted_um: N centre wavelengths; outside the known ones the nearest kernel is taken.

    Returns:
        (D, N, p, p), times C / N.
    """
    order = np.argsort(known_um)
    # Interpolating the rows of the identity gives each known kernel's weight.
    known = np.asarray(known_um, dtype=np.float64)[order]
    rows = [np.interp(wanted_um, known, unit) for unit in np.eye(len(order))]
    weights = torch.from_numpy(np.stack(rows, axis=1)).to(kernel.dtype)
    scaled = weights * (kernel.shape[1] / len(wanted_um))
    return torch.einsum("nc,dcpq->dnpq", scaled, kernel[:, torch.from_numpy(order)])


def patch_resampled(kernel: Tensor, patch_px: int) -> Tensor:
    """Kernels for patches of another size, which give a resized patch the tokens of the first.

    With B the matrix that resizes a patch (bicubic), the new kernel k' is the least-squares
    solution of k' B x = k x for every patch x; exact where patches grow.

    Args:
        kernel: (D, C, p, p).
        patch_px: New side q.

    Returns:
        (D, C, q, q).

    References:
        Beyer et al. 2023, arXiv:2212.08013 (FlexiViT), section 3.4.
    """
    side = kernel.shape[-1]
    if side == patch_px:
        return kernel
    units = torch.eye(side * side, dtype=torch.float64).reshape(-1, 1, side, side)
    size = (patch_px, patch_px)
    resized = functional.interpolate(units, size=size, mode="bicubic", antialias=True)
    # (p * p, q * q): row i is what pixel i becomes.
    matrix = resized.reshape(side * side, -1)
    flat = kernel.double().reshape(-1, side * side)
    new: Tensor = flat @ torch.linalg.pinv(matrix).T
    return new.reshape(*kernel.shape[:2], *size).to(kernel.dtype)
