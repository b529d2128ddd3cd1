"""Text in CSV files that no spreadsheet runs, and the text again."""

from __future__ import annotations

import re
from typing import Any

from featbank.shown import coded, decoded

# What Excel, LibreOffice Calc and Google Sheets take for the beginning of a formula (OWASP, CSV
# Injection); a text that began with quotes before one gets another, so that nothing is lost.
_FORMULA = r"^'*[=+\-@\t\r\n]"
_NUMBER = r"^[+\-]?(\d+\.?\d*|\.\d+)([eE][+\-]?\d+)?$"
_QUOTE = "'"


def plain_cells(column: Any) -> Any:  # noqa: ANN401 - pyarrow ships no types
    r"""A column of text, each cell as a spreadsheet shows it and never runs it.

    A text that begins with ``=``, ``+``, ``-`` or ``@``, or with quotes before one of these, gets
    a ``'`` in front, which spreadsheets take for "this is text". A text that is a number (``-5``,
    ``+3.2e-1``) stays, as does every other text and every number. Control characters, which break
    rows and act on terminals, are written out (``\x0d``) first. ``from_cell`` gives the text again.

    Args:
        column: ``pyarrow`` array of strings.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = column.to_pylist()
    column = pa.array([text and coded(text) for text in texts], column.type)
    runs = pc.match_substring_regex(column, _FORMULA)
    is_number = pc.match_substring_regex(column, _NUMBER)
    quoted = pc.binary_join_element_wise(_QUOTE, column, "")
    return pc.if_else(pc.and_not(runs, is_number), quoted, column)


def from_cell(cell: str) -> str:
    """The text that ``plain_cells`` wrote as this cell.

    Example:
        >>> from_cell("'=1+1"), from_cell("-5"), from_cell("'quoted'")
        ('=1+1', '-5', "'quoted'")
    """
    is_quoted = cell.startswith(_QUOTE) and re.match(_FORMULA, cell)
    return decoded(cell[1:] if is_quoted else cell)
