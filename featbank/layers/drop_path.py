"""How much of each block of a network stochastic depth leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from featbank.layers.transformer import Block
    from featbank.layers.vit import VisionTransformer


def set_drop_path(encoder: VisionTransformer, rate: float, *, is_uniform: bool = False) -> None:
    """Set the rates of a network's blocks.

    Args:
        encoder: Changed in place.
        rate: Largest share of chips that skip a block.
        is_uniform: Whether all blocks have this rate; else it rises linearly from 0 in the first
            block, as in Huang et al., section 3.
    """
    last = len(encoder.blocks) - 1
    for index, block in enumerate(encoder.blocks):
        share = 1.0 if is_uniform or not last else index / last
        cast("Block", block).drop_path = rate * share
