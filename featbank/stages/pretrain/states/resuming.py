"""A run's tensors by name, and back: parameters, buffers, the optimiser's moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featbank.stages.pretrain.scale.parallel import laid_out, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

_METHOD, _OPTIMISER = "method/", "optimiser/"


def run_tensors(module: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Every tensor that decides how a run goes on, whole and on the host.

    Every process of a run has to ask for them at the same step.
    """
    tensors = {_METHOD + name: _hosted(value) for name, value in module.state_dict().items()}
    for name, parameter in module.named_parameters():
        for part, value in sorted(optimiser.state.get(parameter, {}).items()):
            tensors[f"{_OPTIMISER}{part}/{name}"] = _hosted(value)
    return tensors


def load_run(
    module: nn.Module, optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
) -> None:
    """Put tensors of ``run_tensors`` back; processes may share the network in another way."""
    with torch.no_grad():
        for name, value in module.state_dict(keep_vars=True).items():
            value.copy_(laid_out(tensors[_METHOD + name], value))
    parts = sorted({_part(name) for name in tensors if name.startswith(_OPTIMISER)})
    for name, parameter in module.named_parameters():
        moments = {part: tensors.get(f"{_OPTIMISER}{part}/{name}") for part in parts}
        found = {part: value for part, value in moments.items() if value is not None}
        if found:
            optimiser.state[parameter] = {
                part: _moment(value, parameter) for part, value in found.items()
            }


def _part(name: str) -> str:
    return name.removeprefix(_OPTIMISER).split("/", 1)[0]


def _moment(value: Tensor, parameter: Tensor) -> Tensor:
    if value.shape == parameter.shape:
        return laid_out(value, parameter.detach())
    # The count of steps is one number, of which every process has its own.
    return value.to(parameter.device)


def _hosted(value: Tensor) -> Tensor:
    return whole(value.detach()).cpu()
