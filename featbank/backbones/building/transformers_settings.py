"""What a transformers ``config.json`` says that changes numbers: used, as assumed, or refused.

Our own network (``featbank.layers.vit``) has the exact GELU, biases in its attention and layer
norms of one epsilon; a folder that says otherwise is another network. Families that run through
the library take all of their settings from it.

References:
    transformers ``models/{dinov2,dinov2_with_registers,vit}/configuration_*.py``: fields and their
    defaults, which a hand-written ``config.json`` may leave out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHARED: dict[str, Any] = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_act": "gelu",
    "image_size": 224,
    "num_channels": 3,
    "qkv_bias": True,
}
_DINOV2 = {"mlp_ratio": 4, "use_swiglu_ffn": False, "layer_norm_eps": 1e-6}
# The library's defaults of each family that our own network can hold.
DEFAULTS: dict[str, dict[str, Any]] = {
    "dinov2": {**_SHARED, **_DINOV2, "patch_size": 14},
    "dinov2_with_registers": {**_SHARED, **_DINOV2, "patch_size": 16, "num_register_tokens": 4},
    "vit": {**_SHARED, "patch_size": 16, "layer_norm_eps": 1e-12},
    "vit_mae": {**_SHARED, "patch_size": 16, "layer_norm_eps": 1e-12},
    "vit_msn": {**_SHARED, "patch_size": 16, "layer_norm_eps": 1e-6},
    "deit": {**_SHARED, "patch_size": 16, "layer_norm_eps": 1e-12},
}
# Counts, each with a number that no network reaches and that a damaged file may hold.
_COUNTS = {
    "hidden_size": 1 << 20,
    "num_hidden_layers": 1000,
    "num_attention_heads": 1 << 20,
    "num_channels": 1 << 20,
    "num_register_tokens": 1 << 20,
}
_REGISTERS = "num_register_tokens"
_LONGEST_SIDE = 1 << 20
# LayerNorm's epsilon of ``featbank.layers.transformer``, which stands beside torch.
_NORM_EPS = 1e-6
# Settings that change a network's numbers whatever its family, and that no reader here follows.
_NEVER = ("quantization_config", "pruned_heads")


def whole_settings(settings: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Settings with the library's defaults for what is left out, sides as whole numbers.

    Args:
        settings: Content of ``config.json``.
        source: Its folder, for messages.

    Raises:
        WeightsError: A count or a side that is none, or weights that are quantised or pruned.
    """
    for name in _NEVER:
        if settings.get(name):
            raise other_setting(source, name, settings[name], "none")
    found = {**DEFAULTS.get(str(settings.get("model_type")), {}), **settings}
    for name in _COUNTS:
        if name in found and name != _REGISTERS:
            found[name] = _count(found, name, source)
    for name in ("image_size", "patch_size"):
        if name in found:
            found[name] = _side(found, name, source)
    registers = found.get(_REGISTERS)
    if registers is not None and registers != 0:
        found[_REGISTERS] = _count(found, _REGISTERS, source)
    return found


def require_own_network(settings: Mapping[str, Any], source: str, *, any_eps: bool = False) -> None:
    """Raise where a folder's network computes otherwise than ``featbank.layers.vit``.

    Args:
        settings: As ``whole_settings`` gives them.
        source: Their folder, for messages.
        any_eps: Whether layer norms may have another epsilon, as before further training.

    Raises:
        WeightsError: Names the first such setting.
    """
    wanted: dict[str, Any] = {"qkv_bias": True, "hidden_act": "gelu"}
    if settings.get("use_swiglu_ffn"):
        # Gated layers have SiLU, whatever this says.
        del wanted["hidden_act"]
    if not any_eps:
        wanted["layer_norm_eps"] = _NORM_EPS
    for name, value in wanted.items():
        if name in settings and settings[name] != value:
            raise other_setting(source, name, settings[name], repr(value))


def eps_note(settings: Mapping[str, Any]) -> str:
    """What is to be told where layer norms start with another epsilon; empty elsewhere."""
    found = settings.get("layer_norm_eps", _NORM_EPS)
    if found == _NORM_EPS:
        return ""
    return f"layer norms have an epsilon of {_NORM_EPS:g}, not the folder's {found!r}"


def other_setting(source: str, name: str, found: object, expected: str) -> WeightsError:
    """The refusal of a setting that is neither used nor as assumed."""
    return WeightsError(
        source,
        f"its config.json says {name} {found!r}"[:200],
        f"{expected} for this network",
        "Choose other weights: with this setting the features would be others.",
    )


def _count(settings: Mapping[str, Any], name: str, source: str) -> int:
    value = settings[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _COUNTS[name]:
        raise other_setting(source, name, value, f"a whole number, 1 to {_COUNTS[name]},")
    return value


def _side(settings: Mapping[str, Any], name: str, source: str) -> int:
    value = settings[name]
    if isinstance(value, list | tuple) and len(value) == 2 and value[0] == value[1]:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LONGEST_SIDE:
        raise other_setting(source, name, value, "one side in pixels, of squares,")
    return value
