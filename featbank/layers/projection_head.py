"""The head of DINO and iBOT: from features to scores of prototypes.

References:
    Caron et al. 2021, arXiv:2104.14294, appendix C; facebookresearch/dinov2 ``layers/dino_head.py``
    for parameter names and first values.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

# Spread of the first weights, upstream.
_STD = 0.02


class PrototypeLayer(nn.Module):
    """Scores of prototypes: a linear map whose rows have a length of their own (weight norm).

    Args:
        dim: Input width.
        prototypes: Number of prototypes K.
    """

    def __init__(self, dim: int, prototypes: int) -> None:
        super().__init__()
        self.weight_g = nn.Parameter(torch.ones(prototypes, 1))
        self.weight_v = nn.Parameter(torch.empty(prototypes, dim))

    def forward(self, x: Tensor) -> Tensor:
        """(n, dim) -> (n, K)."""
        length = self.weight_v.norm(dim=1, keepdim=True)
        return functional.linear(x, self.weight_v * (self.weight_g / length))


class ProjectionHead(nn.Module):
    """Linear layers with GELU between, a unit-length bottleneck, then prototypes.

    Args:
        dim: Width D of the features.
        prototypes: Number of prototypes K.
        hidden: Width of the hidden layers.
        bottleneck: Width before the prototypes.
        depth: Number of linear layers before the prototypes, at least 1.
    """

    def __init__(
        self, dim: int, prototypes: int, *, hidden: int, bottleneck: int, depth: int = 3
    ) -> None:
        super().__init__()
        widths = [dim, *[hidden] * (depth - 1), bottleneck]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.GELU()]
        self.mlp = nn.Sequential(*layers[:-1])
        self.last_layer = PrototypeLayer(bottleneck, prototypes)

    def forward(self, x: Tensor) -> Tensor:
        """(n, D) features -> (n, K) scores; n may be 0."""
        hidden = self.mlp(x)
        out: Tensor = self.last_layer(functional.normalize(hidden.float(), dim=-1))
        return out

    @torch.no_grad()
    def start(self, seed: int) -> None:
        """Set first weights: the same seed gives the same on any machine."""
        generator = torch.Generator().manual_seed(seed)
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=_STD, generator=generator)
                nn.init.zeros_(layer.bias)
        bound = self.last_layer.weight_v.shape[1] ** -0.5
        self.last_layer.weight_v.uniform_(-bound, bound, generator=generator)
        self.last_layer.weight_g.fill_(1.0)
