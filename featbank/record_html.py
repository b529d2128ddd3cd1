"""Plain HTML of records for notebooks: all text escaped, readable in light and dark themes."""

from __future__ import annotations

from html import escape
from math import isnan
from typing import TYPE_CHECKING

from featbank.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# A line that shows on white and on black; all other colours are the notebook's own.
_LINE = "1px solid rgba(128, 128, 128, 0.4)"
_TABLE = "border-collapse: collapse; margin: 0.3em 0; color: inherit"
_CELL = "padding: 0.15em 0.7em 0.15em 0; vertical-align: top; white-space: normal"
_LEFT, _RIGHT = "text-align: left", "text-align: right"
_NAME = f"{_CELL}; {_LEFT}; font-weight: normal; opacity: 0.75; white-space: nowrap"
_NUMERIC = "font-variant-numeric: tabular-nums"


class Html(str):
    """Text that is HTML already, made by this module alone; any other text is escaped."""

    __slots__ = ()


def cell_html(value: object) -> Html:
    """A value as HTML: text escaped, numbers grouped by thousands, None as nothing.

    Example:
        >>> cell_html("a <b>"), cell_html(12345), cell_html(None)
        ('a &lt;b&gt;', '12,345', '')
    """
    if isinstance(value, Html):
        return value
    if value is None:
        return Html()
    if isinstance(value, int) and not isinstance(value, bool):
        return Html(f"{value:,}")
    return Html(escape(shown(str(value))))


def record_html(title: object, facts: Mapping[str, object], parts: Iterable[Html] = ()) -> Html:
    """A titled list of facts with further parts below.

    Args:
        title: What the record is.
        facts: Values by name; one that is None or empty is left out.
        parts: Tables and folds that follow.
    """
    rows = "".join(
        f'<tr><th style="{_NAME}">{cell_html(name)}</th>'
        f'<td style="{_CELL}; {_LEFT}">{cell_html(value)}</td></tr>'
        for name, value in facts.items()
        if value is not None and value != ""
    )
    head = f'<div style="font-weight: bold; border-bottom: {_LINE}">{cell_html(title)}</div>'
    table = f'<table style="{_TABLE}"><tbody>{rows}</tbody></table>'
    return Html(f'<div class="featbank-record">{head}{table}{"".join(parts)}</div>')


def table_html(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """A table: numbers to the right, everything else to the left.

    Args:
        columns: Titles.
        rows: One value a column; text that stands for a number may be given by ``number_html``.
    """
    body = [list(row) for row in rows]
    sides = [_side(row[place] for row in body) for place in range(len(columns))]
    head = "".join(
        f'<th style="{_CELL}; {side}; border-bottom: {_LINE}">{cell_html(name)}</th>'
        for name, side in zip(columns, sides, strict=True)
    )
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL}; {side}">{cell_html(value)}</td>'
            for value, side in zip(row, sides, strict=True)
        )
        + "</tr>"
        for row in body
    )
    return Html(
        f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
    )


def _side(values: Iterable[object]) -> str:
    found = [value for value in values if value is not None and value != ""]
    is_number = found and all(isinstance(v, Number | int | float) for v in found)
    return f"{_RIGHT}; {_NUMERIC}" if is_number else _LEFT


class Number(Html):
    """A number as text, set like one."""

    __slots__ = ()


def number_html(value: float | None, *, places: int = 3) -> Number:
    """A number with so many decimals; a dash where there is none.

    Example:
        >>> number_html(0.91234), number_html(float("nan")), number_html(None)
        ('0.912', '-', '-')
    """
    return Number("-" if value is None or isnan(value) else f"{value:.{places}f}")


def fold_html(title: object, inside: Html) -> Html:
    """What is shown when its title is clicked."""
    summary = f'<summary style="cursor: pointer">{cell_html(title)}</summary>'
    scroll = f'<div style="max-height: 24em; overflow: auto">{inside}</div>'
    return Html(f"<details>{summary}{scroll}</details>")


def counts_text(counts: Mapping[str, int]) -> str:
    """Counts by name in one line, those of nothing left out.

    Example:
        >>> counts_text({"train": 1200, "val": 0, "test": 400})
        '1,200 train, 400 test'
    """
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
