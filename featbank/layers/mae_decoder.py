"""MAE's decoder: from the tokens of the patches that were seen to the pixels of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featbank.layers.sincos_positions import sincos_positions
from featbank.layers.transformer import NORM_EPS, Block
from featbank.layers.vit_config import VitConfig

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class DecoderShape:
    """Shape of a decoder.

    Attributes:
        width: Channels of its tokens, a multiple of 4 and of the heads.
        depth: Number of blocks.
        heads: Attention heads.
    """

    width: int
    depth: int
    heads: int


class MaeDecoder(nn.Module):
    """Puts seen tokens back in their places, fills the others with one learned token, decodes.

    Args:
        encoder: Shape of the encoder.
        shape: Shape of the decoder.
        side: Side of the grid of patches.

    References:
        He et al. 2022, arXiv:2111.06377; facebookresearch/mae ``models_mae.py``.
    """

    positions: Tensor

    def __init__(self, encoder: VitConfig, shape: DecoderShape, side: int) -> None:
        super().__init__()
        blocks = VitConfig(
            dim=shape.width,
            depth=shape.depth,
            heads=shape.heads,
            patch_px=encoder.patch_px,
            channels=encoder.channels,
            grid=side,
            mlp_dim=4 * shape.width,
        )
        self.embed = nn.Linear(encoder.dim, shape.width)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, shape.width))
        self.blocks = nn.ModuleList(Block(blocks) for _ in range(shape.depth))
        self.norm = nn.LayerNorm(shape.width, eps=NORM_EPS)
        self.pred = nn.Linear(shape.width, encoder.patch_px**2 * encoder.channels)
        # Fixed, so never part of the state.
        fixed = sincos_positions(shape.width, side)
        self.register_buffer("positions", fixed, persistent=False)

    def forward(self, seen: Tensor, restore: Tensor) -> Tensor:
        """Predicted pixels of every patch.

        Args:
            seen: (B, 1 + t, D) tokens: CLS, then the patches that were seen, shuffled.
            restore: (B, T) place of each patch among the shuffled ones, of which the first t were
                seen.

        Returns:
            (B, T, p * p * C).
        """
        tokens = self.embed(seen)
        tokens = torch.cat([tokens[:, :1], self.in_place(tokens[:, 1:], restore)], dim=1)
        tokens = tokens + self.positions
        for block in self.blocks:
            tokens = block(tokens)
        out: Tensor = self.pred(self.norm(tokens[:, 1:]))
        return out

    def in_place(self, seen: Tensor, restore: Tensor) -> Tensor:
        """Tokens (B, t, W) of the seen patches and mask tokens elsewhere, (B, T, W) in order."""
        batch, patches = restore.shape
        hidden = self.mask_token.to(seen.dtype).expand(batch, patches - seen.shape[1], -1)
        shuffled = torch.cat([seen, hidden], dim=1)
        index = restore.unsqueeze(-1).expand(-1, -1, shuffled.shape[-1])
        return torch.gather(shuffled, 1, index)


def published_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A decoder's tensors under the names of facebookresearch/mae."""
    return {name if name == "mask_token" else f"decoder_{name}": v for name, v in state.items()}


def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The way back from ``published_names``."""
    return {name.removeprefix("decoder_"): value for name, value in state.items()}
