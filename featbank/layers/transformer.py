"""Transformer blocks, under the parameter names of timm, DINO, DINOv2 and MAE."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from featbank.layers.packing import unpacked
from featbank.layers.stochastic_depth import add_branch, add_packed_branch

if TYPE_CHECKING:
    from featbank.layers.packing import Shapes
    from featbank.layers.vit_config import VitConfig

# LayerNorm epsilon of timm, DINO, DINOv2 and MAE alike; PyTorch's own 1e-5 is another network.
NORM_EPS = 1e-6


class Attention(nn.Module):
    """Multi-head self-attention with one joint projection to queries, keys and values."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.proj = nn.Linear(config.dim, config.dim)

    def forward(self, x: Tensor, shapes: Shapes | None = None) -> Tensor:
        """(B, T, D) -> (B, T, D); or packed tokens, which attend to those of their own row."""
        qkv = self.qkv(x)
        if shapes is None:
            mixed = self._mixed(qkv)
        else:
            parts = unpacked(qkv, shapes)
            mixed = torch.cat([self._mixed(part).flatten(0, 1) for part in parts])
        out: Tensor = self.proj(mixed)
        return out

    def probabilities(self, x: Tensor, queries: int) -> Tensor:
        """How much the first tokens take from each token: softmax(q k / sqrt(d)).

        Args:
            x: (B, T, D), as ``forward`` takes it.
            queries: Number of tokens Q whose rows are wanted.

        Returns:
            (B, heads, Q, T) float32; each row sums to 1.
        """
        query, key, _ = self._parted(self.qkv(x))
        scores = query[:, :, :queries].float() @ key.float().transpose(-1, -2)
        return functional.softmax(scores / math.sqrt(query.shape[-1]), dim=-1)

    def _mixed(self, qkv: Tensor) -> Tensor:
        """(B, T, 3 D) -> (B, T, D)."""
        mixed = functional.scaled_dot_product_attention(*self._parted(qkv))
        return mixed.transpose(1, 2).flatten(2)

    def _parted(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, 3 D) -> query, key and value, each (B, heads, T, D / heads)."""
        batch, tokens, width = qkv.shape
        parts = qkv.reshape(batch, tokens, 3, self.heads, width // (3 * self.heads))
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        return query, key, value


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


class SwiGlu(nn.Module):
    """Gated feed-forward layer (Shazeer 2020, arXiv:2002.05202) of DINOv2's giant network."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.w12 = nn.Linear(config.dim, 2 * config.mlp_dim)
        self.w3 = nn.Linear(config.mlp_dim, config.dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        gate, value = self.w12(x).chunk(2, dim=-1)
        out: Tensor = self.w3(functional.silu(gate) * value)
        return out


class LayerScale(nn.Module):
    """A learned factor for each channel of a residual branch (Touvron 2021, arXiv:2103.17239)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        return x * self.gamma


class Block(nn.Module):
    """Pre-norm transformer block, with or without layer scale."""

    def __init__(self, config: VitConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.attn = Attention(config)
        self.ls1 = LayerScale(config.dim) if config.layer_scale else nn.Identity()
        self.norm2 = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.mlp = SwiGlu(config) if config.swiglu else Mlp(config)
        self.ls2 = LayerScale(config.dim) if config.layer_scale else nn.Identity()
        # Share of chips whose residual branches are left out in training.
        self.drop_path = 0.0

    def forward(self, x: Tensor, shapes: Shapes | None = None) -> Tensor:
        """(B, T, D) -> (B, T, D).

        Args:
            x: Tokens; where shapes are given, (sum of B_i T_i, D): rows of several lengths packed
                one after another.
            shapes: (B_i, T_i) of each packed batch.
        """
        rate = self.drop_path if self.training else 0.0
        if shapes is not None:
            x = add_packed_branch(x, shapes, self._mix_tokens, rate)
            return add_packed_branch(x, shapes, lambda kept, _: self._feed_forward(kept), rate)
        x = add_branch(x, self._mix_tokens, rate)
        return add_branch(x, self._feed_forward, rate)

    def _mix_tokens(self, x: Tensor, shapes: Shapes | None = None) -> Tensor:
        out: Tensor = self.ls1(self.attn(self.norm1(x), shapes))
        return out

    def _feed_forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.ls2(self.mlp(self.norm2(x)))
        return out

    def attention(self, x: Tensor, queries: int) -> Tensor:
        """Attention probabilities (B, heads, Q, T) of the first Q tokens of (B, T, D)."""
        return self.attn.probabilities(self.norm1(x), queries)
