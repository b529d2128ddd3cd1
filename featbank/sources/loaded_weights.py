"""A backbone's weights as they were read, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.backbones.backbone import Config, State
    from featbank.bank.checkpoints import Checkpoint

HUB_PREFIX = "hf:"


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A backbone's weights and where they come from.

    Attributes:
        config: Architecture.
        state: Tensors; empty for backbones that have none or whose state is yet to be fitted.
        origin: In words, for people.
        sha256: Of the file; empty where there is none.
        notes: What a user must know of them.
        is_read: Whether they come from a file, and so decide the number of channels.
        is_random: Whether they are yet to be drawn, for the channels that there are.
        processor: ``image_mean`` and ``image_std`` that ``preprocessor_config.json`` beside them
            amounts to.
        trained: What the checkpoint says that they are of; None for other weights.
        seen: Ids of the chips that the checkpoint was trained on, by dataset.
    """

    config: Config
    state: State
    origin: str
    sha256: str = ""
    notes: tuple[str, ...] = ()
    is_read: bool = False
    is_random: bool = False
    processor: Mapping[str, Any] = field(default_factory=dict)
    trained: Checkpoint | None = None
    seen: Mapping[str, frozenset[str]] = field(default_factory=dict)
