"""A backbone with a linear head, and which of its parameters learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featbank.errors import ContractError
from featbank.layers.vit import VisionTransformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.backbones import Encoder


class FinetuneNetwork(nn.Module):
    """Logits from features of the last block, as ``Dinov2ForImageClassification`` makes them.

    Args:
        encoder: The backbone.
        features: What the head reads, joined: ``cls`` and ``mean`` where there are both.
        n_classes: K.
        seed: Of the head's first weights.

    References:
        transformers ``models/dinov2/modeling_dinov2.py``: a linear layer on the CLS token joined
        with the mean of the patch tokens.
    """

    def __init__(
        self, encoder: VisionTransformer, features: Sequence[str], n_classes: int, *, seed: int
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.features = tuple(features)
        self.head = nn.Linear(encoder.config.dim * len(self.features), n_classes)
        _start(self.head, seed)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, K) logits."""
        out = self.encoder(x, layers=[self.encoder.config.depth - 1])
        joined = torch.cat([out[name][:, 0] for name in self.features], dim=1)
        logits: Tensor = self.head(joined)
        return logits


def _start(head: nn.Linear, seed: int) -> None:
    # Small weights and no bias, as dinov2/eval/linear.py starts its heads.
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        head.weight.copy_(torch.randn(head.weight.shape, generator=generator) * 0.01)
        head.bias.zero_()


def as_vision_transformer(encoder: Encoder, model: str) -> VisionTransformer:
    """The encoder, where it is a network whose checkpoint can be written.

    Raises:
        ContractError: It is another.
    """
    if not isinstance(encoder, VisionTransformer):
        raise ContractError(
            model,
            f"its network is a {type(encoder).__name__}",
            "a vision transformer such as vit-small, dinov2-base or a checkpoint of one",
            "Name such a model; probes take any backbone.",
        )
    return encoder


def choose_trained(network: FinetuneNetwork, blocks: int) -> None:
    """Let the last blocks learn, with the final norm and the head; all before them stays.

    Args:
        network: Its parameters' ``requires_grad`` are set.
        blocks: Number of blocks, from the last; all of them take what stands before them along.
    """
    depth = network.encoder.config.depth
    network.encoder.requires_grad_(blocks == depth)
    if 0 < blocks < depth:
        for block in list(network.encoder.blocks)[depth - blocks :]:
            block.requires_grad_(True)
        network.encoder.norm.requires_grad_(True)
    if not network.encoder.config.has_norm:
        return
    if "cls" not in network.features and network.encoder.config.has_fc_norm:
        # Only the norm of the mean is on the way to the head.
        network.encoder.norm.requires_grad_(False)
