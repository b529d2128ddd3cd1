"""What tensors must be before a network takes them: floating, finite, of its shapes, trained."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import torch

from featbank.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_NORM_FACTOR = re.compile(r"(^|\.)\w*norm\w*\.weight$")
# Tokens and positions may be constant, as before training; matrices of a trained network are not.
_MATRIX = re.compile(r"\.weight$")
# Numbers that a tensor may repeat by its strides alone (1 GiB as float32): no network's does more.
_MOST_REPEATED = 1 << 28


def float_tensors(state: Mapping[str, Any], source: str) -> dict[str, torch.Tensor]:
    """A state as float32, without gradients.

    Args:
        state: Tensors by name, half-precision ones too.
        source: File, for messages.

    Raises:
        WeightsError: A tensor that is quantised, sparse, complex, of whole numbers or without
            numbers, that stands for far more numbers than the file holds, or that holds NaN or
            infinity.
    """
    return {name: _float(name, value, source) for name, value in state.items()}


def _float(name: str, value: torch.Tensor, source: str) -> torch.Tensor:
    kind = _other_kind(value)
    if kind:
        raise WeightsError(
            source,
            f"'{name}' is {kind}",
            "floating-point numbers (float16, bfloat16, float32 or float64)",
            "Save the weights unquantised and dense.",
        )
    held = value.untyped_storage().nbytes() // value.element_size()
    if value.numel() > max(held, _MOST_REPEATED):
        raise WeightsError(
            source,
            f"'{name}' tells {value.numel():,} numbers, of which the file holds {held:,}",
            "tensors whose numbers stand in the file",
            "Save the weights again, each tensor with .contiguous().",
        )
    numbers = value.detach().to(torch.float32).contiguous()
    if not bool(torch.isfinite(numbers).all()):
        raise WeightsError(
            source,
            f"'{name}' holds NaN or infinity",
            "finite numbers",
            "Take another checkpoint of the training, or fetch the file again.",
        )
    return numbers


def _other_kind(value: torch.Tensor) -> str:
    if type(value) not in (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer):
        return f"a {type(value).__name__}"
    if value.is_quantized:
        return "quantised"
    if value.layout != torch.strided or value.is_nested:
        return f"a {str(value.layout).removeprefix('torch.')} tensor"
    if value.is_meta:
        return "a tensor without numbers (device meta)"
    if value.dtype not in _FLOATS:
        return f"of {str(value.dtype).removeprefix('torch.')}"
    return ""


def require_trained(state: Mapping[str, torch.Tensor], source: str) -> None:
    """Raise where a matrix is one number throughout, or a norm's factors are all zero.

    Such a file was never filled, or lost what filled it: its features would be constant.

    Raises:
        WeightsError: Names the first such tensor.
    """
    for name, value in state.items():
        if not _MATRIX.search(name):
            continue
        first = value.flatten()[:1]
        is_constant = value.numel() > 1 and bool((value == first).all())
        if is_constant and (value.ndim > 1 or (_NORM_FACTOR.search(name) and float(first) == 0)):
            raise WeightsError(
                source,
                f"'{name}' is {float(first):g} throughout",
                "trained weights",
                "Fetch the file again, or pass --weights random for an untrained network.",
            )


def require_shapes(
    state: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor], source: str
) -> None:
    """Raise where a tensor has another shape than the network's of the same name.

    Raises:
        WeightsError: Names the first one.
    """
    for name, value in expected.items():
        if name in state and state[name].shape != value.shape:
            raise WeightsError(
                source,
                f"'{name}' has shape {tuple(state[name].shape)}",
                f"{tuple(value.shape)} for this network",
                "Choose another --model, or fetch the file again.",
            )


def require_ranks(state: Mapping[str, torch.Tensor], source: str) -> None:
    """Raise where the tensors that tell a network's size have not the axes that tell it.

    Raises:
        WeightsError: Names the tensor; its patches may also be no squares.
    """
    axes = {"cls_token": 3, "pos_embed": 3, "register_tokens": 3, "patch_embed.proj.weight": 4}
    for name, count in axes.items():
        value = state.get(name)
        if value is not None and (value.ndim != count or value.numel() == 0):
            raise WeightsError(
                source,
                f"'{name}' has shape {tuple(value.shape)}",
                f"{count} axes",
                "Fetch the file again.",
            )
    kernel = state.get("patch_embed.proj.weight")
    if kernel is not None and kernel.shape[2] != kernel.shape[3]:
        raise WeightsError(
            source,
            f"its patches are {kernel.shape[2]} × {kernel.shape[3]} px",
            "square patches",
            "Choose another file.",
        )
