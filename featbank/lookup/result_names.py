"""What results are called in text, and which one an id's first digits mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from featbank.catalog import suggest
from featbank.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.bank.bank import Bank
    from featbank.result import Result

# What tells results of one model, protocol and feature apart, in the order it is said.
_FURTHER = (
    "dataset",
    "label_set",
    "split_scheme",
    "layer",
    "shots",
    "n_train",
    "test_store",
    "buffer_m",
    "seed",
    "params",
    "store",
)
# These say themselves what they are.
_BARE = ("dataset", "split_scheme", "params", "store")


def names_of(heads: Sequence[Result]) -> list[str]:
    """What results are called wherever they stand beside one another: in compare, report, figure.

    Model, protocol and feature, then what tells a result from those that are alike so far; where
    nothing that a reader knows does, the first digits of its id.

    Args:
        heads: The first row of each.
    """
    names = [f"{head.model} · {head.protocol} · {head.feature}" for head in heads]
    for field in _FURTHER:
        values = [getattr(head, field) for head in heads]
        differs = {name for name in names if len({str(v) for v in _of(name, names, values)}) > 1}
        names = [
            f"{name} · {_said(field, value)}" if name in differs else name
            for name, value in zip(names, values, strict=True)
        ]
    return [
        f"{name} · {head.result[:8]}" if names.count(name) > 1 else name
        for name, head in zip(names, heads, strict=True)
    ]


def _of(name: str, names: Sequence[str], values: Sequence[object]) -> list[object]:
    return [value for each, value in zip(names, values, strict=True) if each == name]


def _said(field: str, value: object) -> str:
    if field == "shots":
        return "all samples" if value is None else f"{value} shots"
    if field == "test_store":
        return "on test" if value is None else f"on {Path(str(value)).stem}"
    if field == "store":
        return Path(str(value)).name
    if field == "label_set":
        return f"labels {value}"
    return str(value) if field in _BARE else f"{field.replace('_', ' ')} {value}"


def complete_id(bank: Bank, prefix: str, known: Sequence[str]) -> str:
    """The id that is meant by its first digits.

    Raises:
        UnknownNameError: No result has such an id.
        UsageError: Several results begin with it.
    """
    matching = [name for name in known if name.startswith(prefix)] if prefix else []
    if prefix in matching:
        return prefix
    if not matching:
        raise UnknownNameError(
            prefix,
            f"no result in {bank.root} has this id",
            f"the id, or its first digits, of one of {len(known)} results",
            suggest(prefix, known) or "List them with featbank.read_results().",
        )
    if len(matching) > 1:
        raise UsageError(
            prefix,
            f"{len(matching)} results begin with it: {', '.join(matching)}",
            "one",
            "Give more digits.",
        )
    return matching[0]
