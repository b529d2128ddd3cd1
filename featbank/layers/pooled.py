"""Encoders without blocks: one pooled vector a chip, given as ``mean`` of layer 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class Pooled(nn.Module):
    """Gives a network's (B, D) output the form of a backbone's features.

    Args:
        network: Maps (B, C, H, W) to (B, D).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, x: Tensor, *, layers: Sequence[int], with_tokens: bool = False
    ) -> dict[str, Tensor]:
        """(B, C, H, W) -> ``mean`` (B, 1, D); layers and tokens do not exist here."""
        return {"mean": self.network(x).unsqueeze(1)}
