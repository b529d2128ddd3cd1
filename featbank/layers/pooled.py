"""Encoders without blocks: one pooled vector a chip, given as ``mean`` of layer 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from featbank.layers.missing import Missing


class Pooled(nn.Module):
    """Gives a network's (B, D) output the form of a backbone's features.

    Args:
        network: Maps (B, C, H, W) to (B, D).
        counts_valid: Whether it takes (B, C, H, W) shares of missing pixels too.
    """

    def __init__(self, network: nn.Module, *, counts_valid: bool = False) -> None:
        super().__init__()
        self.network = network
        self._counts_valid = counts_valid

    def forward(
        self,
        x: Tensor,
        *,
        layers: Sequence[int],
        with_tokens: bool = False,
        missing: Missing | None = None,
    ) -> dict[str, Tensor]:
        """(B, C, H, W) -> ``mean`` (B, 1, D); layers and tokens do not exist here."""
        if missing is None or not self._counts_valid:
            return {"mean": self.network(x).unsqueeze(1)}
        return {"mean": self.network(x, missing=missing.channels).unsqueeze(1)}
