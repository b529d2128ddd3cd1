"""Crops of several sizes in one pass: linear layers see all tokens at once, attention each size.

References:
    Oquab et al. 2024, arXiv:2304.07193, section 5 ("Sequence packing").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from featbank.layers.packing import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from featbank.layers.transformer import Block
    from featbank.layers.vit import VisionTransformer


def encode_jointly(encoder: VisionTransformer, batches: Sequence[Tensor]) -> list[Tensor]:
    """Blocks and final norm over several batches of tokens, equal to one pass for each.

    With stochastic depth each batch leaves out its own share of its rows, as one pass would.

    Args:
        encoder: The network.
        batches: (B_i, T_i, D) each, as ``VisionTransformer.embed`` gives them.

    Returns:
        (B_i, T_i, D) each: tokens of the last block, normed.
    """
    tokens, shapes = packed(batches)
    for block in encoder.blocks:
        tokens = block(tokens, shapes)
    return unpacked(encoder.norm(tokens), shapes)


def pays(encoder: VisionTransformer) -> bool:
    """Whether one pass is faster than one for each size.

    Measured on one AVX2 core, ViT-Ti/16, forward and backward: 1.17 times as fast with 2 x 96 px
    and 6 x 48 px of 32 chips, 1.10 with 2 x 64 px and 4 x 32 px of 16; 0.92 with stochastic depth
    of 0.3, where picking single tokens costs more than picking rows.
    """
    return not any(cast("Block", block).drop_path for block in encoder.blocks)
