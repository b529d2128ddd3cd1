"""What a checkpoint's record may say, field by field: the record may come from anyone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Claim = Callable[[Any], bool]

# What a network's configuration has to tell, as whole numbers; more than the greatest is no
# network that anyone has trained (ViT-22B: Dehghani et al. 2023, arXiv:2302.05442, 24,576 wide).
_SIZES = ("dim", "depth", "heads", "patch_px", "channels", "grid", "mlp_dim")
_GREATEST = 1 << 17
_BAND = ("name", "unit")


def _is_text(value: Any) -> bool:  # noqa: ANN401 - any JSON value, here and below
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, bool)


def _is_mapping(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, dict)


def _is_count(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_size(value: Any) -> bool:  # noqa: ANN401
    return _is_count(value) and 0 < value <= _GREATEST


def _is_config(value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, dict) or not all(_is_size(value.get(name)) for name in _SIZES):
        return False
    return all(isinstance(inner, str | int | float) for inner in value.values())


def _are_bands(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, list) and bool(value) and all(map(_is_band, value))


def _is_band(value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, dict) or not all(_is_text(value.get(name)) for name in _BAND):
        return False
    length, role = value.get("wavelength_um"), value.get("role")
    return (length is None or _is_number(length)) and (role is None or _is_text(role))


def _are_statistics(value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, dict):
        return False
    lists = [value.get("mean"), value.get("std")]
    is_told = _is_text(value.get("method")) and _is_text(value.get("source"))
    are_numbers = all(isinstance(each, list) and all(map(_is_number, each)) for each in lists)
    return is_told and are_numbers and len(lists[0] or ()) == len(lists[1] or ())


def _has_seen(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, list) and all(
        isinstance(each, dict) and _is_text(each.get("dataset")) for each in value
    )


def _is_recipe(value: Any) -> bool:  # noqa: ANN401
    if not isinstance(value, dict) or not isinstance(inputs := value.get("input", {}), dict):
        return False
    return isinstance(inputs.get("bands", []), list)


_CLAIMS: dict[str, Claim] = {
    "name": _is_text,
    "config": _is_config,
    "bands": _are_bands,
    "image_px": _is_size,
    "statistics": _are_statistics,
    "default_feature": _is_text,
    "recipe": _is_recipe,
    "recipe_id": _is_text,
    "saw": _has_seen,
    "steps": _is_count,
    "is_finished": _is_flag,
    "origin": _is_text,
    "licence": _is_text,
    "command": _is_text,
    "environment": _is_mapping,
}
_MAY_LACK = {"licence", "command", "environment"}


def wrong_field(content: Mapping[str, Any]) -> str:
    """What is wrong with a record, as the rest of a sentence; empty where nothing is.

    Args:
        content: The record's fields beside its format and its files.
    """
    for name, claim in _CLAIMS.items():
        if name not in content:
            if name not in _MAY_LACK:
                return f"lacks '{name}'"
        elif not claim(content[name]):
            said = repr(content[name])
            return f"holds {said if len(said) < 60 else said[:57] + '...'} as '{name}'"
    unknown = sorted(set(content) - set(_CLAIMS))
    return f"holds '{unknown[0]}', which no record has" if unknown else ""


def wrong_files(files: Any) -> bool:  # noqa: ANN401
    """Whether a record does not tell the hashes of its files by name."""
    return not (isinstance(files, dict) and all(map(_is_text, files.values())))
