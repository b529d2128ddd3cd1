"""AdamW over networks side by side, each with its own learning rate and weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from featbank.probes.fitting.mlp_networks import Networks

    Group = tuple[list[torch.Tensor], float, float]


class NetworksOptimizer:
    """AdamW over whole tensors; over each network's views where rates or decays differ.

    On CUDA rates are tensors, so that a graph of the step reads those of the step at hand.

    Args:
        networks: What is trained; their gradients are read where they stand.
    """

    def __init__(self, networks: Networks) -> None:
        groups = _groups(networks)
        is_cuda = networks.place.type == "cuda"
        # One pass over weights, gradients and moments, not ten.
        self._adamw = torch.optim.AdamW(
            [{"params": params, "lr": lr, "weight_decay": decay} for params, lr, decay in groups],
            fused=True,
            capturable=is_cuda,
        )
        self._first_rates = [lr for _, lr, _ in groups]
        if is_cuda:
            self._on_device = torch.tensor(
                self._first_rates, dtype=torch.float64, device=networks.place
            )
            # Fused AdamW reads float32.
            self._rates = torch.zeros(len(groups), device=networks.place)
            for group, rate in zip(self._adamw.param_groups, self._rates.unbind(), strict=True):
                group["lr"] = rate

    def step(self, share: float | torch.Tensor) -> None:
        """Move the weights along the gradients.

        Args:
            share: Of the first learning rates; a float64 tensor on CUDA.
        """
        if isinstance(share, torch.Tensor):
            torch.mul(self._on_device, share, out=self._rates)
        else:
            for group, rate in zip(self._adamw.param_groups, self._first_rates, strict=True):
                group["lr"] = rate * share
        self._adamw.step()


def _groups(networks: Networks) -> list[Group]:
    """Parameters with their gradients set, learning rates and weight decays."""
    plans = [(s, c, plan) for s, row in enumerate(networks.plans) for c, plan in enumerate(row)]
    hyper = {(plan.lr, plan.weight_decay) for _, _, plan in plans}
    for tensor, gradient in zip(networks.parameters, networks.gradients, strict=True):
        tensor.grad = gradient
    if len(hyper) == 1:
        return [(networks.parameters, *hyper.pop())]
    groups = []
    for s, c, plan in plans:
        views = networks.network(s, c)
        gradients = networks.network(s, c, networks.gradients)
        for view, gradient in zip(views, gradients, strict=True):
            view.grad = gradient
        groups.append((list(views), plan.lr, plan.weight_decay))
    return groups
