"""Position embeddings on grids other than the one they were trained on.

Published networks differ in how they do it, by up to 4e-3 in features, and their native size is
seldom the size that they are used at; so the way is part of the network's config.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

# antialiased: timm ``layers/pos_embed.py:resample_abs_pos_embed``, and facebookresearch/dinov2 for
#   its networks with registers (``interpolate_antialias`` true, offset 0).
# offset: facebookresearch/dinov2 ``models/vision_transformer.py:interpolate_pos_encoding`` without
#   registers: the scale factor is (grid + 0.1) / trained side.
# plain: transformers ``models/dinov2/modeling_dinov2.py``: target size, no antialiasing.
WAYS = ("antialiased", "offset", "plain")
_OFFSET = 0.1


def resize_positions(positions: Tensor, side: int, grid: tuple[int, int], way: str) -> Tensor:
    """Position embedding (1, gy * gx, D) of the patches of a grid.

    Args:
        positions: (1, side * side, D), as trained.
        side: Side of the trained grid, in patches.
        grid: (gy, gx) wanted; the trained grid gives the embedding as it is.
        way: One of ``WAYS``.
    """
    if grid == (side, side):
        return positions
    # (1, T, D) -> (1, D, side, side) -> (1, gy * gx, D)
    maps = positions.float().reshape(1, side, side, -1).permute(0, 3, 1, 2)
    if way == "offset":
        scale = tuple((length + _OFFSET) / side for length in grid)
        maps = functional.interpolate(maps, scale_factor=scale, mode="bicubic")
    else:
        antialias = way == "antialiased"
        maps = functional.interpolate(maps, size=grid, mode="bicubic", antialias=antialias)
    return maps.flatten(2).transpose(1, 2)
