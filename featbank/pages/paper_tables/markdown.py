"""Tables as GitHub's Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from featbank.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from featbank.pages.paper_tables.table import PaperTable, TableCell, TableRow

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#])")


def as_markdown(table: PaperTable) -> str:
    """One table with its title and caption: the best bold, published numbers in italics."""
    lines = [
        f"### {_escaped(table.title)}",
        "",
        _line(_escaped(column.title) for column in table.columns),
        _line("---:" if column.is_number else ":---" for column in table.columns),
        *(_line(_cell(cell, row) for cell in row.cells) for row in table.rows),
        "",
        _escaped(table.caption),
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: TableCell, row: TableRow) -> str:
    text = _escaped(cell.text)
    marks = "**" if cell.is_best else "*" if row.kind == "published" and text else ""
    bounds = f" [{_escaped(cell.interval)}]" if cell.interval else ""
    return f"{marks}{text}{marks}{bounds}"


def _escaped(text: str) -> str:
    """Text that Markdown leaves as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", shown(" ".join(text.split())))
