"""Shape of a vision transformer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class VitConfig:
    """Shape of a vision transformer.

    Attributes:
        dim: D.
        depth: Number of blocks L.
        heads: Attention heads; divides D.
        patch_px: Side of a patch in pixels.
        channels: Input bands C.
        grid: Side of the square grid that the position embedding was trained on, in patches.
        mlp_dim: Hidden width of the feed-forward layers.
        padding_px: Zero padding around the chip before it is cut into patches.
        registers: Register tokens R after the CLS token.
        layer_scale: Whether residual branches are scaled.
        swiglu: Whether feed-forward layers are gated.
        positions: One of ``featbank.layers.positions.WAYS``.
        has_norm: Whether there is a final norm over tokens: without it no CLS feature.
        has_fc_norm: Whether ``mean`` is the norm of the mean (MAE's and DOFA's ``fc_norm``)
            instead of the mean of the normed patch tokens.
    """

    dim: int
    depth: int
    heads: int
    patch_px: int
    channels: int
    grid: int
    mlp_dim: int
    padding_px: int = 0
    registers: int = 0
    layer_scale: bool = False
    swiglu: bool = False
    positions: str = "antialiased"
    has_norm: bool = True
    has_fc_norm: bool = False
