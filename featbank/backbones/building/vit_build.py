"""Building, starting and checking the networks of ``featbank.layers.vit``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from featbank.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.backbones.backbone import Config, Encoder, State, WeightsFile

# Answers that a config records and that the network itself does not know.
_OF_THE_FILE = ("part",)


def network_config(config: Config) -> dict[str, Any]:
    """Fields of ``VitConfig`` alone, without what a config records of its weights file."""
    return {name: value for name, value in config.items() if name not in _OF_THE_FILE}


def build_vit(config: Config, state: State) -> Encoder:
    """The network of a config, with a state whose names fit."""
    from featbank.layers.vit import VisionTransformer
    from featbank.layers.vit_config import VitConfig

    network = VisionTransformer(VitConfig(**network_config(config)))
    network.load_state_dict(dict(state))
    return network.eval()


def initial_vit(config: Config, seed: int) -> State:
    """Untrained weights of a config."""
    from featbank.layers.vit import random_state
    from featbank.layers.vit_config import VitConfig

    return random_state(VitConfig(**network_config(config)), seed)


def empty_state(config: Config) -> State:
    """Names and shapes of a config's tensors, without numbers."""
    import torch

    from featbank.layers.vit import VisionTransformer
    from featbank.layers.vit_config import VitConfig

    with torch.device("meta"):
        state: State = VisionTransformer(VitConfig(**network_config(config))).state_dict()
    return state


def require_whole(config: Config, state: State, source: str) -> None:
    """Raise where a state's tensors have other shapes than the network's, or were never filled.

    Raises:
        WeightsError: Names the tensor.
    """
    from featbank.backbones.building.tensor_checks import require_shapes, require_trained

    require_shapes(state, empty_state(config), source)
    require_trained(state, source)


def settled_heads(config: Config, file: WeightsFile) -> tuple[int, tuple[str, ...]]:
    """Attention heads of a file, and what a user must know of them.

    Tensors do not tell them: a transformers folder's settings do, or the user, or they are assumed.

    Args:
        config: ``dim`` and the model's own ``heads``.
        file: Settings and answers.

    Raises:
        WeightsError: They do not divide the width, or the user's word and the folder's differ.
    """
    asked, told = file.answers.get("heads"), file.config.get("num_attention_heads")
    heads = int(asked or told or config["heads"])
    if asked and told and asked != told:
        raise WeightsError(
            file.name,
            f"its config.json says {told} attention heads",
            f"those, not --answer heads={asked}",
            "Leave the answer out.",
        )
    if config["dim"] % heads:
        raise WeightsError(
            file.name,
            f"{heads} attention heads do not divide its width of {config['dim']}",
            f"a divisor, such as {config['heads']}",
            "Correct --answer heads." if asked else "Choose other weights.",
        )
    return heads, () if asked or told else (assumed_heads(config["dim"], heads),)


def assumed_heads(dim: int, heads: int) -> str:
    """What a user must know where heads are assumed, as a sentence without its full stop."""
    return (
        f"{heads} attention heads are assumed (width / {dim // heads}), since a file cannot tell: "
        "--answer heads=N says otherwise"
    )


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
    expected = set(empty_state({**config, "grid": 1}))
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
