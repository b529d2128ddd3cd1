"""The teacher of self-distillation: a moving average of its student."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeVar

from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

if TYPE_CHECKING:
    from collections.abc import Callable

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def frozen_copy(module: ModuleT) -> ModuleT:
    """A copy that is never trained."""
    return frozen(copy.deepcopy(module))


def frozen(module: ModuleT) -> ModuleT:
    """The same module, no longer trained."""
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


def move_average(average: nn.Module, towards: nn.Module, momentum: float) -> None:
    """Move each parameter: ``average = momentum * average + (1 - momentum) * towards``.

    Args:
        average: What is moved, in place.
        towards: A module of the same shape.
        momentum: 0 to 1; 1 leaves everything as it is.

    References:
        He et al. 2020, arXiv:1911.05722, eq. 2.
    """
    moved, target = list(average.parameters()), [p.detach() for p in towards.parameters()]
    # Torch ships no types here.
    averaging: Callable[[float], Callable[..., None]] = get_ema_multi_avg_fn
    averaging(momentum)(moved, target, 0)
