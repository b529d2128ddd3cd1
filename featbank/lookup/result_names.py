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

# What tells two results apart beside model, protocol and feature, in the order it is said.
_FURTHER = (
    "dataset",
    "label_set",
    "split_scheme",
    "layer",
    "params",
    "seed",
    "n_train",
    "buffer_m",
    "test_store",
    "store",
)


def names_of(heads: Sequence[Result]) -> list[str]:
    """What results are called: model, protocol, feature, and what else tells them apart."""
    names = [_joined(head, ("model", "protocol", "feature")) for head in heads]
    for field in _FURTHER:
        if len(set(names)) == len(names):
            break
        values = {str(getattr(head, field)) for head in heads}
        if len(values) > 1:
            names = [f"{n} · {_said(h, field)}" for n, h in zip(names, heads, strict=True)]
    if len(set(names)) < len(names):
        names = [f"{n} · {h.result[:8]}" for n, h in zip(names, heads, strict=True)]
    return names


def _joined(head: Result, fields: Sequence[str]) -> str:
    return " · ".join(str(getattr(head, field)) for field in fields)


def _said(head: Result, field: str) -> str:
    value = getattr(head, field)
    if field in ("store", "test_store") and value is not None:
        return Path(value).name
    bare = ("dataset", "label_set", "split_scheme", "params")
    return str(value) if field in bare else f"{field.replace('_', ' ')} {value}"


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
