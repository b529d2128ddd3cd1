"""Building, starting and checking the networks of ``featbank.layers.vit``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from featbank.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.backbones.backbone import Config, Encoder, State


def build_vit(config: Config, state: State) -> Encoder:
    """The network of a config, with a state whose names fit."""
    from featbank.layers.vit import VisionTransformer, VitConfig

    network = VisionTransformer(VitConfig(**config))
    network.load_state_dict(dict(state))
    return network.eval()


def initial_vit(config: Config, seed: int) -> State:
    """Untrained weights of a config."""
    from featbank.layers.vit import VitConfig, random_state

    return random_state(VitConfig(**config), seed)


def require_keys(config: Config, state: Mapping[str, Any], source: str, *, names: str) -> None:
    """Raise where a state has not the tensors of the config's network.

    Args:
        config: Fields of ``VitConfig``.
        state: Tensors by name.
        source: File, for the message.
        names: Whose parameter names are expected, in words.

    Raises:
        WeightsError: Names what is missing and what is too much.
    """
    from featbank.layers.vit import VisionTransformer, VitConfig

    expected = set(VisionTransformer(VitConfig(**{**config, "grid": 1})).state_dict())
    missing, extra = sorted(expected - set(state)), sorted(set(state) - expected)
    if missing or extra:
        lacks = f"lacks {len(missing)} tensors ({', '.join(missing[:2]) or 'none'})"
        adds = f"has {len(extra)} others ({', '.join(extra[:2]) or 'none'})"
        raise WeightsError(
            source,
            f"{lacks} and {adds}",
            f"a vision transformer of {config['depth']} blocks under {names} names",
            "Choose another --model, or convert the file.",
        )


def require_width(found: int, config: Config, source: str, *, fitting: str | None) -> None:
    """Raise where a file's features have another width than the model's.

    Raises:
        WeightsError: Names the model that fits, where one does.
    """
    if found != config["dim"]:
        raise WeightsError(
            source,
            f"its features are {found} wide",
            f"{config['dim']} for this model",
            f"Pass --model {fitting}." if fitting else "Choose another --model.",
        )


def square_side(tokens: int, source: str) -> int:
    """Side of the square grid of a position embedding.

    Raises:
        WeightsError: Not a square number.
    """
    side = math.isqrt(tokens)
    if side * side != tokens:
        raise WeightsError(
            source,
            f"its position embedding has {tokens} patches",
            "a square number after the CLS token",
            "Choose another --model.",
        )
    return side
