"""Catalogs, stores and one store's description as tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from featbank.pages.screen import Screen, named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

# Settings of a transformers folder have long names; they must not squeeze the values.
_NAME_WIDTH = 36
# Where names that somebody gave stand in place of fields: ids of refused samples.
_NAMED = frozenset({"refused: "})
_SENTENCE = 40  # characters; what is longer, and of several words, is no name
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, fold: Collection[str]
) -> None:
    """Print some columns of rows.

    Args:
        rows: Rows.
        columns: Header by column, in order.
        fold: The columns that give way on a narrow terminal.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name, header in columns.items():
        is_number = all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(
            header,
            overflow="fold",
            no_wrap=name not in fold,
            justify="right" if is_number else "left",
        )
    for row in rows:
        table.add_row(*(named(in_words(name, row[name])) for name in columns))
    Screen().print(table)


def print_description(description: Mapping[str, Any]) -> None:
    """Print everything that is known of one thing, a line a fact."""
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    table.add_column(style="bold", overflow="fold", max_width=_NAME_WIDTH)
    table.add_column(overflow="fold")
    for name, value in _flat(description):
        first, *others = _lines(name, value)
        table.add_row(named(name), named(first))
        for line in others:
            table.add_row("", named(line))
    Screen().print(table)


def _lines(name: str, value: Any) -> list[str]:  # noqa: ANN401 - any field of a record
    """A value in words; sentences stand a line each, names behind one another."""
    are_sentences = isinstance(value, list) and any(
        len(str(each)) > _SENTENCE and " " in str(each) for each in value
    )
    return [str(each) for each in value] if are_sentences else [in_words(name, value)]


def _flat(description: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Facts by their names in words; a name that somebody gave stays as it is."""
    for name, value in description.items():
        told = name if prefix in _NAMED else name.replace("_", " ")
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{told}: ")
        else:
            yield f"{prefix}{told}", value


def in_words(name: str, value: Any) -> str:  # noqa: ANN401 - any field of a record
    """One value as a person reads it."""
    if name == "bytes":
        return human_bytes(value)
    if name == "parameters":
        return f"{value / 1e6:.1f} M" if value else "-"
    if name == "gflop":
        return f"{value:.1f}" if value else "-"
    if value is None or value in ([], {}):
        return "-"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def human_bytes(count: float) -> str:
    """Bytes in the largest fitting decimal unit.

    Example:
        >>> human_bytes(4_600_000)
        '4.6 MB'
    """
    for size, unit in _UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"
