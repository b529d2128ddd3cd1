"""The plain vision transformer, under the parameter names of timm, DINO v1 and MAE.

References:
    Dosovitskiy et al. 2021, arXiv:2010.11929. Parameter names as in timm
    ``models/vision_transformer.py`` and facebookresearch/dino ``vision_transformer.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

# LayerNorm epsilon of timm, DINO and MAE alike; PyTorch's own default of 1e-5 is another network.
NORM_EPS = 1e-6


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
    """

    dim: int
    depth: int
    heads: int
    patch_px: int
    channels: int
    grid: int
    mlp_dim: int


class PatchEmbed(nn.Module):
    """Non-overlapping patches to tokens by one linear map."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        patch = config.patch_px
        self.proj = nn.Conv2d(config.channels, config.dim, kernel_size=patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, D, gy, gx)."""
        out: Tensor = self.proj(x)
        return out


class Attention(nn.Module):
    """Multi-head self-attention with one joint projection to queries, keys and values."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.proj = nn.Linear(config.dim, config.dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        batch, tokens, dim = x.shape
        # (B, T, 3D) -> three of (B, heads, T, D / heads)
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(mixed.transpose(1, 2).reshape(batch, tokens, dim))
        return out


class Mlp(nn.Module):
    """Feed-forward layer with the exact GELU."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.dim, config.mlp_dim)
        self.fc2 = nn.Linear(config.mlp_dim, config.dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.attn = Attention(config)
        self.norm2 = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.mlp = Mlp(config)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        x = x + self.attn(self.norm1(x))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class VisionTransformer(nn.Module):
    """A frozen encoder that gives features of any of its blocks.

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
        self.norm = nn.LayerNorm(config.dim, eps=NORM_EPS)

    def forward(
        self, x: Tensor, *, layers: Sequence[int], with_tokens: bool = False
    ) -> dict[str, Tensor]:
        """Features of the blocks named.

        Args:
            x: (B, C, H, W), normalised; H and W multiples of the patch.
            layers: Block indices, 0 to depth - 1, ascending.
            with_tokens: Whether to give patch tokens too.

        Returns:
            ``cls`` and ``mean`` (B, L, D): the final norm is applied to the block's output, then
            the CLS token is taken, or the patch tokens are averaged. ``tokens``
            (B, L, gy, gx, D): patch tokens before the final norm.
        """
        patches = self.patch_embed(x)
        grid = (patches.shape[-2], patches.shape[-1])
        taps = self._taps(self._embed(patches), layers)
        normed = [self.norm(tap).float() for tap in taps]
        features = {
            "cls": torch.stack([tokens[:, 0] for tokens in normed], dim=1),
            "mean": torch.stack([tokens[:, 1:].mean(dim=1) for tokens in normed], dim=1),
        }
        if with_tokens:
            # (B, L, T, D) -> (B, L, gy, gx, D)
            tokens = torch.stack([tap[:, 1:] for tap in taps], dim=1)
            features["tokens"] = tokens.reshape(*tokens.shape[:2], *grid, tokens.shape[-1])
        return features

    def _embed(self, patches: Tensor) -> Tensor:
        grid = (patches.shape[-2], patches.shape[-1])
        # (B, D, gy, gx) -> (B, T, D)
        tokens = patches.flatten(2).transpose(1, 2) + self.positions(grid)
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(tokens.shape[0], -1, -1)
        return torch.cat([cls, tokens.to(cls.dtype)], dim=1)

    def _taps(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        taps = []
        for index in range(max(layers) + 1):
            x = self.blocks[index](x)
            if index in layers:
                taps.append(x)
        return taps

    def positions(self, grid: tuple[int, int]) -> Tensor:
        """Position embedding (1, gy * gx, D) of the patches for a grid of any size.

        Off the trained grid it is resized bicubically with antialiasing, as timm
        ``layers/pos_embed.py:resample_abs_pos_embed`` does.
        """
        trained = self.pos_embed[:, 1:]
        side = self.config.grid
        if grid == (side, side):
            return trained
        # (1, T, D) -> (1, D, side, side) -> (1, gy * gx, D)
        maps = trained.float().reshape(1, side, side, -1).permute(0, 3, 1, 2)
        maps = functional.interpolate(maps, size=grid, mode="bicubic", antialias=True)
        return maps.flatten(2).transpose(1, 2)


def random_state(config: VitConfig, seed: int) -> dict[str, Tensor]:
    """Untrained weights: normal(0, 0.02) matrices, zero biases, unit norms, as DINO v1 starts.

    Args:
        config: Shape of the network.
        seed: Seed of the generator; the same seed gives the same weights on any machine.
    """
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, value in VisionTransformer(config).state_dict().items():
        if "norm" in name:
            state[name] = torch.ones_like(value) if name.endswith("weight") else value * 0
        elif name.endswith("bias"):
            state[name] = torch.zeros_like(value)
        else:
            state[name] = torch.randn(value.shape, generator=generator) * 0.02
    return state
