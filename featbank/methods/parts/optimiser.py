"""AdamW over groups of parameters: layer-wise learning rates, and who is decayed."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

_ENCODER = "encoder."
_PATCH_EMBED = "patch_embed"
# What stands before the first block gets its layer: patch embedding, positions and all tokens.
_FIRST = (_PATCH_EMBED, "cls_token", "pos_embed", "register_tokens", "mask_token")
_UNDECAYED = ("cls_token", "pos_embed", "register_tokens", "mask_token")
_BLOCK = re.compile(r"blocks\.(\d+)\.")
_LR_SCALE, _DECAYED = "lr_scale", "is_decayed"


def adamw(method: nn.Module, hyper: Mapping[str, Any]) -> torch.optim.AdamW:
    """The optimiser of a method; its rates are set before each step with ``set_numbers``.

    Args:
        method: Parameters under ``encoder.`` get layer-wise learning rates.
        hyper: ``layer_decay``, ``patch_embed_lr``, ``beta1`` and ``beta2``.

    References:
        Loshchilov and Hutter 2019, arXiv:1711.05101.
    """
    groups: dict[tuple[float, bool], list[Tensor]] = defaultdict(list)
    depth = len(method.encoder.blocks)  # type: ignore[union-attr, arg-type] # modules are untyped
    for name, parameter in method.named_parameters():
        if parameter.requires_grad:
            scale = lr_scale(name, depth, hyper["layer_decay"], hyper["patch_embed_lr"])
            groups[scale, is_decayed(name, parameter)].append(parameter)
    settings = [
        {"params": parameters, _LR_SCALE: scale, _DECAYED: decayed}
        for (scale, decayed), parameters in groups.items()
    ]
    return torch.optim.AdamW(settings, lr=0.0, betas=(hyper["beta1"], hyper["beta2"]), fused=True)


def lr_scale(name: str, depth: int, layer_decay: float, patch_embed_lr: float) -> float:
    """What a parameter's learning rate is multiplied by.

    Heads and the final norm have 1, the last block ``layer_decay``, each block below that much of
    the one above it, and what stands before the blocks comes below the first one.

    Args:
        name: In the method, such as ``encoder.blocks.3.norm1.weight``.
        depth: Blocks of the encoder.
        layer_decay: 1 gives every layer the same.
        patch_embed_lr: Further factor of the patch embedding.

    References:
        dinov2 ``utils/param_groups.py``; Clark et al. 2020, arXiv:2003.10555.
    """
    if not name.startswith(_ENCODER):
        return 1.0
    own = name.removeprefix(_ENCODER)
    factor = patch_embed_lr if own.startswith(_PATCH_EMBED) else 1.0
    if own.startswith(_FIRST):
        return float(factor * layer_decay ** (depth + 1))
    block = _BLOCK.match(own)
    layer = int(block.group(1)) + 1 if block else depth + 1
    return float(layer_decay ** (depth + 1 - layer))


def is_decayed(name: str, parameter: Tensor) -> bool:
    """Whether weight decay acts: not on biases, norms, layer scales, positions and tokens."""
    return parameter.ndim > 1 and name.rsplit(".", 1)[-1] not in _UNDECAYED


def set_numbers(optimiser: torch.optim.Optimizer, *, lr: float, weight_decay: float) -> None:
    """Put this step's learning rate and weight decay into every group."""
    for group in optimiser.param_groups:
        group["lr"] = lr * group[_LR_SCALE]
        group["weight_decay"] = weight_decay if group[_DECAYED] else 0.0
