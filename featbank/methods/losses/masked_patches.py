"""iBOT: what the teacher says of patches that the student does not see.

References:
    Zhou et al. 2022, arXiv:2111.07832; facebookresearch/dinov2 ``loss/ibot_patch_loss.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from featbank.methods.losses.prototypes import STUDENT_TEMPERATURE

if TYPE_CHECKING:
    from torch import Tensor


def patch_weights(masked: Tensor) -> Tensor:
    """What each masked patch counts: one over those of its crop.

    Args:
        masked: (n, T) bool, true at m places; on the CPU, since a GPU would have to be waited for.

    Returns:
        (m,) float32, crop by crop.
    """
    share = 1 / masked.sum(dim=1, keepdim=True).clamp(min=1).to(torch.float32)
    return share.expand_as(masked)[masked]


def masked_patches_loss(
    students: Tensor,
    targets: Tensor,
    weights: Tensor,
    *,
    crops: int,
    temperature: float = STUDENT_TEMPERATURE,
) -> Tensor:
    """Cross-entropy over masked patches: the mean in each crop, then the mean over all crops.

    Crops without a masked patch count with 0, as upstream has it.

    Args:
        students: (m, K) logits of the student at the masked patches, crop by crop.
        targets: (m, K) probabilities of the teacher at the same patches.
        weights: (m,) what each counts, as ``patch_weights`` gives it, on the same device.
        crops: How many there are, those without a masked patch included.
        temperature: Of the student, > 0.

    Returns:
        A scalar; 0 where nothing is masked.
    """
    logs = functional.log_softmax(students.float() / temperature, dim=-1)
    return -((targets * logs).sum(dim=-1) * weights).sum() / crops
