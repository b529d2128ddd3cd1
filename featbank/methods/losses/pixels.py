"""MAE's loss: the pixels of the patches that the encoder did not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# Added to a patch's variance: facebookresearch/mae ``models_mae.py:forward_loss``.
_EPS = 1e-6


def patchified(images: Tensor, patch_px: int) -> Tensor:
    """Cut images into patches, pixel by pixel with its bands side by side.

    Args:
        images: (B, C, H, W); H and W multiples of the patch.
        patch_px: Side of a patch p.

    Returns:
        (B, T, p * p * C), patches row by row.

    References:
        facebookresearch/mae ``models_mae.py:patchify``.
    """
    batch, bands, height, width = images.shape
    grid_y, grid_x = height // patch_px, width // patch_px
    cut = images.reshape(batch, bands, grid_y, patch_px, grid_x, patch_px)
    # (B, C, gy, p, gx, p) -> (B, gy * gx, p * p * C)
    return cut.permute(0, 2, 4, 3, 5, 1).reshape(batch, grid_y * grid_x, -1)


def pixel_loss(predicted: Tensor, patches: Tensor, mask: Tensor, *, is_normalised: bool) -> Tensor:
    """Mean squared error over the hidden patches.

    Args:
        predicted: (B, T, P), what the decoder gives.
        patches: (B, T, P), as ``patchified`` gives them.
        mask: (B, T), 1 where a patch was hidden; at least one is.
        is_normalised: Whether each patch is brought to mean 0 and variance 1 (its P values
            together, variance with P - 1) before it is compared.

    Returns:
        Scalar, float32.

    References:
        He et al. 2022, arXiv:2111.06377, section 3; facebookresearch/mae
        ``models_mae.py:forward_loss``.
    """
    target = patches.float()
    if is_normalised:
        spread = (target.var(dim=-1, keepdim=True) + _EPS).sqrt()
        target = (target - target.mean(dim=-1, keepdim=True)) / spread
    error = (predicted.float() - target).square().mean(dim=-1)
    hidden = mask.to(error.dtype)
    return (error * hidden).sum() / hidden.sum()
