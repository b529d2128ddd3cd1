"""Low-rank adapters on the attention's projections, merged into plain weights at the end.

References:
    Hu et al. 2022, arXiv:2106.09685. ``peft`` makes and merges them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from featbank.layers.vit import VisionTransformer

_TARGETS = ["qkv", "proj"]
_BASE = "base_layer."


def add_adapters(encoder: VisionTransformer, rank: int) -> None:
    """Put adapters into every block; they alone learn.

    Args:
        encoder: Changed in place.
        rank: Of the adapters; they are scaled by 1 (alpha equal to the rank).

    Raises:
        UsageError: ``peft`` is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise UsageError(
            f"--lora {rank}",
            "the package peft is not installed",
            "it for low-rank adapters",
            "Install it: pip install 'featbank[lora]'.",
        ) from error
    # The patch embedding is called proj too: blocks alone are meant.
    targets = [f"{i}.attn.{name}" for i in range(encoder.config.depth) for name in _TARGETS]
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=targets)
    inject_adapter_in_model(config, encoder.blocks)


def merged_state(encoder: VisionTransformer) -> dict[str, Tensor]:
    """The encoder's tensors under their plain names, adapters added to what they adapt."""
    _merge(encoder)
    state = encoder.state_dict()
    return {name.replace(_BASE, ""): value for name, value in state.items() if "lora_" not in name}


def _merge(encoder: VisionTransformer) -> None:
    # peft's layers have no common type that is told where peft is absent.
    for module in encoder.modules():
        layer: Any = module
        if hasattr(layer, "lora_A") and not layer.merged:
            layer.merge()
