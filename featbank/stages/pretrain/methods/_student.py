"""What the methods with a teacher have in common: encoder, heads, their first weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from featbank.errors import WeightsError
from featbank.layers.projection_head import ProjectionHead
from featbank.layers.transformer import LayerScale
from featbank.layers.vit import VisionTransformer, VitConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from featbank.backbones.backbone import Config, State
    from featbank.layers.transformer import Block
    from featbank.stages.pretrain.methods.method import MethodRequest


def encoder_of(config: Config, state: State) -> VisionTransformer:
    """The network of a config, with its weights."""
    encoder = VisionTransformer(VitConfig(**config))
    encoder.load_state_dict(dict(state))
    return encoder


def student_of(request: MethodRequest) -> VisionTransformer:
    """The encoder that is trained; layer scale starts small unless its weights are trained ones."""
    encoder = encoder_of(request.config, request.state)
    if not request.is_warm:
        for module in encoder.modules():
            if isinstance(module, LayerScale):
                nn.init.constant_(module.gamma, float(request.hyper["layer_scale_init"]))
    return encoder


def drop_paths(encoder: VisionTransformer, rate: float, *, is_uniform: bool) -> None:
    """Set stochastic depth: one rate for all blocks, or rising linearly from 0 to it."""
    last = len(encoder.blocks) - 1
    for index, block in enumerate(encoder.blocks):
        share = 1.0 if is_uniform or not last else index / last
        cast("Block", block).drop_path = rate * share


def head_of(dim: int, hyper: Mapping[str, Any], seed: int) -> ProjectionHead:
    """A head with random first weights, of the size that the hyper-parameters name."""
    head = ProjectionHead(
        dim,
        hyper["prototypes"],
        hidden=hyper["head_hidden"],
        bottleneck=hyper["head_bottleneck"],
    )
    head.start(seed)
    return head


def named(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    """A module's tensors under a prefix, as checkpoints keep them."""
    return {f"{prefix}.{name}": value for name, value in module.state_dict().items()}


def restore(module: nn.Module, heads: State, prefix: str) -> None:
    """Give a module the tensors that a checkpoint keeps under a prefix.

    Raises:
        WeightsError: There are none, or of another shape.
    """
    start = f"{prefix}."
    own = {
        k.removeprefix(start): torch.as_tensor(v) for k, v in heads.items() if k.startswith(start)
    }
    wanted = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in own.items()}
    if found != wanted:
        wrong = next(name for name in {**wanted, **found} if wanted.get(name) != found.get(name))
        raise WeightsError(
            f"heads of the checkpoint, {start}{wrong}",
            f"has shape {found[wrong]}" if wrong in found else "is missing",
            f"shape {wanted[wrong]}" if wrong in wanted else "no such tensor",
            "Take the hyper-parameters of the checkpoint's own run, or start without its heads.",
        )
    module.load_state_dict(own)
