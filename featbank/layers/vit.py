"""The vision transformer, under the parameter names of timm, DINO, DINOv2 and MAE.

References:
    Dosovitskiy et al. 2021, arXiv:2010.11929. Parameter names as in timm
    ``models/vision_transformer.py``, facebookresearch/dino ``vision_transformer.py`` and
    facebookresearch/dinov2 ``models/vision_transformer.py``. Registers: Darcet et al. 2024,
    arXiv:2309.16588.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from featbank.layers.missing import kept_patches, mean_patch
from featbank.layers.positions import resize_positions
from featbank.layers.transformer import NORM_EPS, Block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.layers.missing import Missing
    from featbank.layers.vit_config import VitConfig


class PatchEmbed(nn.Module):
    """Non-overlapping patches to tokens by one linear map."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(
            config.channels,
            config.dim,
            kernel_size=config.patch_px,
            stride=config.patch_px,
            padding=config.padding_px,
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, D, gy, gx)."""
        out: Tensor = self.proj(x)
        return out


class VisionTransformer(nn.Module):
    """An encoder that gives features of any of its blocks, frozen or in training.

    Args:
        config: Shape of the network.
    """

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.config = config
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.grid**2, config.dim))
        self.patch_embed = PatchEmbed(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        if config.registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, config.registers, config.dim))
        if config.has_norm:
            self.norm = nn.LayerNorm(config.dim, eps=NORM_EPS)
        if config.has_fc_norm:
            self.fc_norm = nn.LayerNorm(config.dim, eps=NORM_EPS)

    def forward(
        self,
        x: Tensor,
        *,
        layers: Sequence[int],
        with_tokens: bool = False,
        missing: Missing | None = None,
    ) -> dict[str, Tensor]:
        """Features of the blocks named.

        Args:
            x: (B, C, H, W), normalised; H and W multiples of the patch.
            layers: Block indices, 0 to depth - 1, ascending.
            with_tokens: Whether to give patch tokens too.
            missing: What of the chips is missing; patches more than half missing leave ``mean``.

        Returns:
            ``mean`` (B, L, D), and ``cls`` (B, L, D) where there is a final norm: the norm is
            applied to the block's output, then the CLS token is taken, or the patch tokens are
            averaged; with ``fc_norm`` patch tokens are averaged first. ``mean_raw`` (B, L, D):
            the average of the patch tokens before any norm. ``registers`` (B, L, R, D), normed,
            where there are any. ``tokens`` (B, L, gy, gx, D): patch tokens before the final norm.
        """
        patches = self.patch_embed(x)
        grid = (patches.shape[-2], patches.shape[-1])
        taps = self._taps(self._embed(patches), layers)
        kept = None if missing is None else kept_patches(missing, grid)
        pooled = [self._pool(tap, kept) for tap in taps]
        features = {name: torch.stack([p[name] for p in pooled], dim=1) for name in pooled[0]}
        if with_tokens:
            # (B, L, T, D) -> (B, L, gy, gx, D)
            tokens = torch.stack([tap[:, 1 + self.config.registers :] for tap in taps], dim=1)
            features["tokens"] = tokens.reshape(*tokens.shape[:2], *grid, tokens.shape[-1])
        return features

    def attention(self, x: Tensor, *, layer: int) -> Tensor:
        """How much the CLS token and each register take from each patch, head by head.

        Args:
            x: (B, C, H, W), normalised; H and W multiples of the patch.
            layer: Block index, 0 to depth - 1.

        Returns:
            (B, heads, 1 + R, gy, gx) probabilities, the row of CLS first; what a row gives to CLS
            and registers is left out, so that it sums to less than 1.
        """
        patches = self.patch_embed(x)
        tokens = self._embed(patches)
        for index in range(layer):
            tokens = self.blocks[index](tokens)
        prefix = 1 + self.config.registers
        rows = cast("Block", self.blocks[layer]).attention(tokens, prefix)
        grid = (patches.shape[-2], patches.shape[-1])
        return rows[..., prefix:].reshape(*rows.shape[:3], *grid)

    def encode(
        self,
        x: Tensor,
        *,
        masked: Tensor | None = None,
        mask_token: Tensor | None = None,
        keep: Tensor | None = None,
    ) -> Tensor:
        """Tokens of the last block, normed: what pretraining and fine-tuning work with.

        Args:
            x: (B, C, H, W), normalised; H and W multiples of the patch.
            masked: (B, T) bool: patches whose embedding gives way to ``mask_token`` before
                positions are added (iBOT, DINOv2); None masks none.
            mask_token: (D,), or any shape that broadcasts with (B, T, D).
            keep: (B, t) indices of the patches that enter the blocks (MAE); None keeps all.

        Returns:
            (B, 1 + R + T, D), or (B, 1 + R + t, D): CLS, registers, patch tokens.
        """
        tokens = self.embed(x, masked=masked, mask_token=mask_token)
        if keep is not None:
            tokens = self._kept(tokens, keep)
        return self.trunk(tokens)

    def trunk(self, tokens: Tensor) -> Tensor:
        """Blocks and final norm over (B, T, D) tokens that ``embed`` gave."""
        for block in self.blocks:
            tokens = block(tokens)
        out: Tensor = self.norm(tokens)
        return out

    def embed(
        self, x: Tensor, *, masked: Tensor | None = None, mask_token: Tensor | None = None
    ) -> Tensor:
        """(B, 1 + R + T, D) tokens that enter the first block; arguments as for ``encode``."""
        patches = self.patch_embed(x)
        if masked is not None and mask_token is not None:
            grid = (patches.shape[-2], patches.shape[-1])
            where = masked.reshape(-1, 1, *grid)
            patches = torch.where(where, mask_token.reshape(1, -1, 1, 1).to(patches), patches)
        return self._embed(patches)

    def _kept(self, tokens: Tensor, keep: Tensor) -> Tensor:
        prefix = 1 + self.config.registers
        index = (keep + prefix).unsqueeze(-1).expand(-1, -1, tokens.shape[-1])
        return torch.cat([tokens[:, :prefix], torch.gather(tokens, 1, index)], dim=1)

    def _embed(self, patches: Tensor) -> Tensor:
        grid = (patches.shape[-2], patches.shape[-1])
        # (B, D, gy, gx) -> (B, T, D)
        tokens = patches.flatten(2).transpose(1, 2) + self.positions(grid)
        first = [(self.cls_token + self.pos_embed[:, :1]).expand(tokens.shape[0], -1, -1)]
        if self.config.registers:
            # Registers have no position: they come in after positions are added.
            first.append(self.register_tokens.expand(tokens.shape[0], -1, -1))
        return torch.cat([*first, tokens.to(self.cls_token.dtype)], dim=1)

    def _taps(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        taps = []
        for index in range(max(layers) + 1):
            x = self.blocks[index](x)
            if index in layers:
                taps.append(x)
        return taps

    def _pool(self, tap: Tensor, kept: Tensor | None) -> dict[str, Tensor]:
        """(B, 1 + R + T, D) tokens of a block -> its pooled features."""
        registers = self.config.registers
        normed = self.norm(tap).float() if self.config.has_norm else None
        pooled = {"mean_raw": mean_patch(tap[:, 1 + registers :].float(), kept)}
        if normed is not None:
            pooled["cls"] = normed[:, 0]
        if self.config.has_fc_norm:
            pooled["mean"] = self.fc_norm(mean_patch(tap[:, 1 + registers :], kept)).float()
        elif normed is not None:
            pooled["mean"] = mean_patch(normed[:, 1 + registers :], kept)
        if registers and normed is not None:
            pooled["registers"] = normed[:, 1 : 1 + registers]
        return pooled

    def positions(self, grid: tuple[int, int]) -> Tensor:
        """Position embedding (1, gy * gx, D) of the patches for a grid of any size."""
        config = self.config
        return resize_positions(self.pos_embed[:, 1:], config.grid, grid, config.positions)


def random_state(config: VitConfig, seed: int) -> dict[str, Tensor]:
    """Untrained weights: normal(0, 0.02) matrices, zero biases, unit norms, as DINO v1 starts.

    Args:
        config: Shape of the network.
        seed: Seed of the generator; the same seed gives the same weights on any machine.
    """
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, value in VisionTransformer(config).state_dict().items():
        if "norm" in name or name.endswith("gamma"):
            state[name] = torch.zeros_like(value) if name.endswith("bias") else value * 0 + 1
        elif name.endswith("bias"):
            state[name] = torch.zeros_like(value)
        else:
            state[name] = torch.randn(value.shape, generator=generator) * 0.02
    return state
