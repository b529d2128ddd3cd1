"""A method's hyper-parameters: the published ones, with the user's in place of some."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from featbank.catalog import suggest
from featbank.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.methods.method import MethodSpec
    from featbank.stages.pretrain.options import PretrainOptions

# Said by options of their own.
_OPTIONS = {"epochs": "--epochs", "batch_size": "--batch-size"}
_FROZEN = "frozen_encoder"
# Lengths that may end within an epoch.
_PARTS_OF_EPOCHS = "_epochs"
# Numbers that no method takes below 0.
_NOT_NEGATIVE = ("lr", "min_lr", "warmup_epochs", "clip", "weight_decay", "weight_decay_end")


def settled_hyper(method: MethodSpec, options: PretrainOptions) -> dict[str, Any]:
    """Every hyper-parameter of a run but its length.

    Raises:
        UsageError: A name that the method does not have, or a value of another kind.
    """
    given = dict(options.hyper)
    if options.frozen_encoder:
        if _FROZEN not in method.hyper:
            raise UsageError(
                "--frozen-encoder",
                f"method '{method.name}' trains nothing but the encoder and its heads",
                "a method that learns without the encoder, such as mae",
                "Leave it out.",
            )
        given[_FROZEN] = True
    known = [name for name in method.hyper if name not in _OPTIONS]
    for name in given:
        _require_known(name, method, known)
    taken = {name: _typed(name, value, method.hyper[name]) for name, value in given.items()}
    return {**method.hyper, **taken}


def _require_known(name: str, method: MethodSpec, known: list[str]) -> None:
    if name in _OPTIONS:
        raise UsageError(
            f"--set {name}", "has an option of its own", _OPTIONS[name], f"Pass {_OPTIONS[name]}."
        )
    if name not in known:
        raise UsageError(
            f"--set {name}",
            f"method '{method.name}' has no such hyper-parameter",
            f"one of {', '.join(known)}",
            suggest(name, known),
        )


def _typed(name: str, value: object, published: object) -> object:
    """A value of the kind that the published one is of.

    Raises:
        UsageError: It is not.
    """
    found = _converted(value, published)
    if found is None and name.endswith(_PARTS_OF_EPOCHS):
        published = float(str(published))
        found = _number(value)
    is_negative = name in _NOT_NEGATIVE and isinstance(found, int | float) and found < 0
    if found is None or is_negative:
        raise UsageError(
            f"--set {name}={value}",
            "is negative" if is_negative else f"is no {_kind(published)}",
            f"a value such as {_shown(published)}",
            "Correct it.",
        )
    return found


def _converted(value: object, published: object) -> object | None:
    """The value as a bool, int, float, text or tuple of floats; None where it is no such thing."""
    if isinstance(published, bool):
        return value if isinstance(value, bool) else None
    if isinstance(published, int):
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(published, float):
        return _number(value)
    if isinstance(published, tuple):
        parts = [_number(part) for part in value] if isinstance(value, list | tuple) else []
        is_whole = len(parts) == len(published) and None not in parts
        return tuple(parts) if is_whole else None
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]


def _kind(published: object) -> str:
    kinds = {
        bool: "true or false",
        int: "whole number",
        float: "number",
        tuple: "list of as many numbers",
    }
    return kinds.get(type(published), "text")


def _shown(published: object) -> str:
    if isinstance(published, bool):
        return str(published).lower()
    return str(list(published)) if isinstance(published, tuple) else str(published)


def as_json(hyper: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters as a recipe keeps them."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in hyper.items()}
