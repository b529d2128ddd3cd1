"""What the methods with a teacher have in common: encoder, heads, their first weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from featbank.errors import WeightsError
from featbank.layers.joint_forward import encode_jointly, pays
from featbank.layers.projection_head import ProjectionHead
from featbank.layers.transformer import LayerScale
from featbank.layers.vit import VisionTransformer
from featbank.layers.vit_config import VitConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from featbank.backbones.backbone import Config, State
    from featbank.methods.method import MethodRequest


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


def student_tokens(
    encoder: VisionTransformer,
    views: Mapping[str, Tensor],
    *,
    masked: Tensor | None = None,
    mask_token: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Tokens of the global crops, and CLS of all crops.

    Args:
        encoder: The student.
        views: ``global`` (2 b, C, s, s), and ``local`` (n b, C, t, t) if any.
        masked: (2 b, T) bool: patches of the global crops that are hidden.
        mask_token: What stands in their place.

    Returns:
        (2 b, 1 + R + T, D), and ((2 + n) b, D) with the global crops first.
    """
    wide = encoder.embed(views["global"], masked=masked, mask_token=mask_token)
    batches = [wide, *(encoder.embed(x) for name, x in views.items() if name == "local")]
    if len(batches) > 1 and pays(encoder):
        tokens = encode_jointly(encoder, batches)
    else:
        tokens = [encoder.trunk(batch) for batch in batches]
    return tokens[0], torch.cat([batch[:, 0] for batch in tokens])


def head_of(dim: int, prototypes: int, hyper: Mapping[str, Any], *, seed: int) -> ProjectionHead:
    """A head with random first weights, of the size that the hyper-parameters name."""
    head = ProjectionHead(
        dim,
        prototypes,
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
        WeightsError: One is missing, or of another shape.
    """
    fitting = fitting_tensors(named(prefix, module), heads)
    module.load_state_dict({k.removeprefix(f"{prefix}."): v for k, v in fitting.items()})


def fitting_tensors(wanted: Mapping[str, Tensor], heads: State) -> dict[str, Tensor]:
    """What a checkpoint keeps under the names that are wanted.

    Raises:
        WeightsError: One is missing, or of another shape.
    """
    for name, value in wanted.items():
        found = tuple(heads[name].shape) if name in heads else None
        if found != tuple(value.shape):
            raise WeightsError(
                f"heads of the checkpoint, {name}",
                f"has shape {found}" if found is not None else "is missing",
                f"shape {tuple(value.shape)}",
                "Take the method and hyper-parameters of the checkpoint's own run, or start "
                "without its heads.",
            )
    return {name: torch.as_tensor(heads[name]) for name in wanted}
