"""Convolutional networks of the transformers library: the mean of their last map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class HubPool(nn.Module):
    """The pooled output of a transformers vision model.

    Args:
        model: Its ``pooler_output`` is (B, D, 1, 1).
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, D)."""
        pooled: Tensor = self.model(pixel_values=x).pooler_output
        return pooled.flatten(1).float()
