"""Several passes of channels through a network, features joined end to end."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featbank.errors import ContractError
from featbank.layers.missing import Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Passes(nn.Module):
    """Sends groups of channels through encoders, one after another.

    Args:
        encoders: One encoder a pass; the same object may stand for several.
        picks: Channels of each pass; a channel may be repeated.
    """

    def __init__(self, encoders: Sequence[nn.Module], picks: Sequence[Sequence[int]]) -> None:
        super().__init__()
        _share(encoders)
        self.encoders = nn.ModuleList(encoders)
        self._picks = [list(pick) for pick in picks]

    def forward(
        self,
        x: Tensor,
        *,
        layers: Sequence[int],
        with_tokens: bool = False,
        missing: Missing | None = None,
    ) -> dict[str, Tensor]:
        """(B, C, H, W) -> the encoders' features, joined along the last axis."""
        outs = [
            encode(encoder, x[:, pick], layers, with_tokens, _picked(missing, pick))
            for encoder, pick in zip(self.encoders, self._picks, strict=True)
        ]
        return {name: torch.cat([out[name] for out in outs], dim=-1) for name in outs[0]}

    def attention(self, x: Tensor, *, layer: int) -> Tensor:
        """(B, passes * heads, 1 + R, gy, gx): the heads of one pass after those of another.

        Raises:
            ContractError: The encoders have no attention.
        """
        maps = [
            attention_of(encoder, x[:, pick], layer)
            for encoder, pick in zip(self.encoders, self._picks, strict=True)
        ]
        return torch.cat(maps, dim=1)


def _picked(missing: Missing | None, pick: list[int]) -> Missing | None:
    if missing is None:
        return None
    channels = missing.channels[:, pick]
    return Missing(pixels=channels.amax(dim=1), channels=channels)


def encode(
    encoder: Callable[..., dict[str, Tensor]],
    x: Tensor,
    layers: Sequence[int],
    with_tokens: bool,
    missing: Missing | None,
) -> dict[str, Tensor]:
    """Features of an encoder, which hears of missing pixels where there are any and it asks.

    An encoder whose ``forward`` takes no ``missing`` is given the filled chip alone.
    """
    takes = getattr(encoder, "forward", encoder)
    if missing is None or "missing" not in inspect.signature(takes).parameters:
        return encoder(x, layers=layers, with_tokens=with_tokens)
    return encoder(x, layers=layers, with_tokens=with_tokens, missing=missing)


def attention_of(encoder: object, x: Tensor, layer: int) -> Tensor:
    """Attention of an encoder that may have none: (B, heads, 1 + R, gy, gx).

    Raises:
        ContractError: It has none.
    """
    tell = getattr(encoder, "attention", None)
    if tell is None:
        raise ContractError(
            type(encoder).__name__,
            "this network has no attention",
            "a vision transformer",
            "Embed with a model such as vit-tiny or dinov2-base.",
        )
    found: Tensor = tell(x, layer=layer)
    return found


def _share(encoders: Sequence[nn.Module]) -> None:
    """Let encoders that differ in their patch embedding alone hold the rest in memory once."""
    first = dict(encoders[0].named_parameters())
    for encoder in encoders[1:]:
        for name, value in list(encoder.named_parameters()):
            if name in first and torch.equal(value, first[name]):
                owner, _, leaf = name.rpartition(".")
                setattr(encoder.get_submodule(owner), leaf, first[name])
