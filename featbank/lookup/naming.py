"""What results are called in a report: as short as tells them apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.result import Result

# What tells results of one model and protocol apart, in the order it is said.
_FURTHER = (
    "label_set",
    "feature",
    "layer",
    "split_scheme",
    "shots",
    "test_store",
    "seed",
    "params",
)


def result_names(results: Sequence[tuple[Result, ...]]) -> tuple[str, ...]:
    """One name a result: model and protocol, then what tells it from those of the same name."""
    heads = [rows[0] for rows in results]
    names = [f"{head.model}, {head.protocol}" for head in heads]
    for field in _FURTHER:
        alike = [[h for h, n in zip(heads, names, strict=True) if n == name] for name in names]
        names = [
            f"{name}, {_said(head, field)}" if _differs(same, field) else name
            for name, head, same in zip(names, heads, alike, strict=True)
        ]
    return tuple(
        f"{name}, {head.result[:8]}" if names.count(name) > 1 else name
        for name, head in zip(names, heads, strict=True)
    )


def _differs(heads: Sequence[Result], field: str) -> bool:
    return len({getattr(head, field) for head in heads}) > 1


def _said(head: Result, field: str) -> str:
    value = getattr(head, field)
    if field == "shots":
        return "all samples" if value is None else "few-shot"
    if field == "test_store":
        return "on test" if value is None else f"on {Path(value).stem}"
    if field in ("layer", "seed"):
        return f"{field} {value}"
    return f"labels {value}" if field == "label_set" else str(value)
