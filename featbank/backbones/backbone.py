"""What a backbone is: a record that is cheap to import, and functions that make it live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from featbank.backbones.answers import OpenQuestion, Value
    from featbank.bands import Band
    from featbank.remote import RemoteFile

State = Mapping[str, Any]
Config = Mapping[str, Any]
Chips = Iterable[NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """Where a state was read from.

    Attributes:
        name: File name or hub id, for messages.
        sha256: Of the file's bytes; empty where unknown.
        folder: The transformers folder that it stands in; empty for single files.
        config: ``config.json`` of a transformers folder; empty for single files.
        processor: ``image_mean`` and ``image_std`` of 0..1 that its ``preprocessor_config.json``
            amounts to, and ``image_px``; empty where absent.
        answers: What the user said that the file does not tell, such as ``reshape``.
    """

    name: str
    sha256: str = ""
    folder: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    processor: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What reading a weights file gave.

    Attributes:
        config: Architecture.
        state: Tensors under the names that ``build`` takes.
        notes: What a user must know, such as parts of the file that are not used.
    """

    config: Config
    state: State
    notes: tuple[str, ...] = ()


class Encoder(Protocol):
    """A network in evaluation mode, a ``torch.nn.Module``."""

    def __call__(
        self, x: Tensor, *, layers: Sequence[int], with_tokens: bool = False
    ) -> dict[str, Tensor]:
        """Features of (B, C, H, W) chips: (B, L, D), tokens (B, L, gy, gx, D).

        An encoder that takes a keyword ``missing`` is told which pixels were missing and are
        filled: a ``featbank.layers.missing.Missing``, or None.
        """

    def to(self, device: torch.device) -> Encoder:
        """Move the parameters to a device."""


@runtime_checkable
class Attentive(Protocol):
    """What an encoder with attention has beside: optional, asked for by ``isinstance``."""

    def attention(self, x: Tensor, *, layer: int) -> Tensor:
        """Probabilities (B, heads, 1 + R, gy, gx) of one block: rows CLS, then registers."""


@dataclass(frozen=True, kw_only=True)
class Provides:
    """What a backbone of a given config gives one chip.

    Attributes:
        features: Names among ``cls``, ``mean``, ``mean_raw``, ``registers``, ``tokens``.
        dim: D.
        depth: Number of blocks; 1 for backbones without blocks.
        patch_px: Side of a patch; 0 for backbones without tokens.
        registers: Number of register tokens.
        gflop: GFLOP of one chip's forward pass at the default size; None where it varies.
        parameters: Number of parameters.
    """

    features: tuple[str, ...]
    dim: int
    depth: int = 1
    patch_px: int = 0
    registers: int = 0
    gflop: float | None = None
    parameters: int = 0


@dataclass(frozen=True, kw_only=True)
class BackboneSpec:
    """A catalog entry: what a backbone needs and gives.

    Attributes:
        name: What users type after ``--model``.
        summary: One line on what it is.
        config: Default architecture.
        default_feature: Feature that probes take when none is named, of the default config.
        image_size: Side in pixels that chips are resized to; None keeps the native size.
        normalise: Default of ``--normalise`` for eight-bit RGB (other input: ``dataset``); None
            where the weights do not tell.
        compute_dtype: ``bfloat16`` (autocast) or ``float32``.
        takes_weights: Whether weights are loaded from a file (or ``random``).
        licence: Licence of the weights; empty without any.
        weights_from: Where the weights come from, in words.
        describe: What a config provides, without building it.
        build: Makes the network from a config and a state dict.
        read: Fits a weights file's state to the network; raises ``WeightsError``.
        bind: Config of a network for given bands, where more than their number matters, as for
            kernels made from wavelengths; raises ``ContractError``.
        answers: What its files do not tell and users may (``--answer NAME=VALUE``).
        remote: The publisher's file, taken when no ``--weights`` are named.
        hub_id: The publisher's hub id, likewise.
        initial: Untrained state of a config from a seed.
        fit: Fits the state on normalised training chips, (C, H, W) each, from a seed; None for
            backbones that are not fitted.
    """

    name: str
    summary: str
    config: Config
    default_feature: str
    image_size: int | None
    normalise: str | None
    compute_dtype: str
    takes_weights: bool
    licence: str
    weights_from: str
    describe: Callable[[Config], Provides] = field(repr=False)
    build: Callable[[Config, State], Encoder] = field(repr=False)
    read: Callable[[Config, State, WeightsFile], Loaded] | None = field(default=None, repr=False)
    bind: Callable[[Config, Sequence[Band]], Config] | None = field(default=None, repr=False)
    answers: tuple[OpenQuestion, ...] = ()
    remote: RemoteFile | None = None
    hub_id: str = ""
    initial: Callable[[Config, int], State] | None = field(default=None, repr=False)
    fit: Callable[[Config, Chips, int], State] | None = field(default=None, repr=False)
