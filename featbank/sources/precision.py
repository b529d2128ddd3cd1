"""Which dtype a network computes in, where the user leaves it open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.device import pick_device

if TYPE_CHECKING:
    from featbank.backbones import BackboneSpec
    from featbank.sources.embed_options import EmbedOptions

AUTO = "auto"
_HALF, _FULL = "bfloat16", "float32"


def compute_dtype(spec: BackboneSpec, options: EmbedOptions) -> str:
    """``bfloat16`` or ``float32``, as asked for, or as the backbone and the device suit best.

    Networks run under bfloat16 autocast where the device multiplies it in hardware: 1.7 times as
    fast as float32 on such a CPU, with features whose cosine to float32's is 0.99995. A CPU
    without it emulates bfloat16, six times slower than float32 (on two AVX2 cores a ViT-Ti embeds
    5 chips a second in place of 32), and computes in float32. What was taken stands in the recipe.
    """
    if options.dtype != AUTO:
        return options.dtype
    is_fast = pick_device(options.device).type == "cuda" or has_native_bfloat16()
    return _HALF if spec.compute_dtype == _HALF and is_fast else _FULL


def run_dtype(asked: str, device: str) -> str:
    """``bfloat16`` or ``float32`` of a training run: as asked for, or as suits the device.

    Args:
        asked: ``auto``, ``bfloat16`` or ``float32``.
        device: As ``--device`` takes it.
    """
    if asked != AUTO:
        return asked
    is_fast = pick_device(device).type == "cuda" or has_native_bfloat16()
    return _HALF if is_fast else _FULL


def has_native_bfloat16() -> bool:
    """Whether this CPU has AVX-512 BF16 or AMX."""
    import torch

    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in names)
