"""KoLeo: features of a batch are pushed apart, each from its nearest.

References:
    Sablayrolles et al. 2019, arXiv:1806.03198; facebookresearch/dinov2 ``loss/koleo_loss.py``.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from featbank.methods.parts.ranks import gathered

# Both epsilons of upstream: in the norm and distance, and inside the logarithm.
_EPS = 1e-8


def spread_loss(features: Tensor) -> Tensor:
    """Minus the mean logarithm of the distance to the nearest other row on the unit sphere.

    Nearest rows are sought over all processes; upstream stays within each.

    Args:
        features: (b, D), at least two rows over all processes.

    Returns:
        A scalar.
    """
    with torch.autocast(features.device.type, enabled=False):
        own = functional.normalize(features.float(), dim=-1, eps=_EPS)
        everyone, first = gathered(own)
        nearest = everyone[_nearest(own, everyone, first)]
        distances = functional.pairwise_distance(own, nearest, eps=_EPS)
        return -torch.log(distances + _EPS).mean()


@torch.no_grad()
def _nearest(own: Tensor, everyone: Tensor, first: int) -> Tensor:
    """(b,) index of each own row's nearest other row."""
    similarity = own @ everyone.T
    rows = torch.arange(len(own), device=own.device)
    similarity[rows, rows + first] = -torch.inf
    return similarity.argmax(dim=1)
