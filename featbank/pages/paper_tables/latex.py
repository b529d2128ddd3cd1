"""Tables as LaTeX with booktabs."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from featbank.shown import shown

if TYPE_CHECKING:
    from featbank.pages.paper_tables.table import PaperTable, TableCell, TableRow

PREAMBLE = "% Needs \\usepackage{booktabs} and \\usepackage[dvipsnames]{xcolor}."
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\"": r"\textquotedbl{}",
    "\u2013": "--",
    "\u2014": "---",
    "…": r"\ldots{}",
    "·": r"\textperiodcentered{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "µ": r"\textmu{}",
    "°": r"\textdegree{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}", "Æ": r"\AE{}", "ø": r"\o{}", "Ø": r"\O{}", "œ": r"\oe{}", "ł": r"\l{}",
    "\u2019": "'", "\u2018": "`", "“": "``", "”": "''",
    "\u00a0": "~", "\u202f": r"\,",
}  # fmt: skip
# Combining marks of decomposed letters, as LaTeX's accents.
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c",
    "\u0328": "k", "\u0323": "d",
}  # fmt: skip


def as_latex(table: PaperTable) -> str:
    """One table environment: caption above, the best bold, published numbers greyed."""
    kinds = "".join("r" if column.is_number else "l" for column in table.columns)
    heads = " & ".join(escaped(column.title) for column in table.columns)
    lines = [
        r"\begin{table}[t]",
        r"  \centering\small",
        f"  \\caption{{{escaped(table.title)}. {escaped(table.caption)}}}",
        f"  \\label{{tab:{table.key}}}",
        f"  \\begin{{tabular}}{{@{{}}{kinds}@{{}}}}",
        r"    \toprule",
        f"    {heads} \\\\",
        r"    \midrule",
        *_body(table),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _body(table: PaperTable) -> list[str]:
    lines, before = [], "ours"
    for row in table.rows:
        if row.kind == "published" and before != "published":
            lines.append(r"    \midrule")
        before = row.kind
        lines.append(f"    {' & '.join(_cell(cell, row) for cell in row.cells)} \\\\")
    return lines


def _cell(cell: TableCell, row: TableRow) -> str:
    text = escaped(cell.text)
    if cell.is_best:
        text = rf"\textbf{{{text}}}"
    if row.kind == "published":
        text = rf"\textcolor{{gray}}{{{text}}}"
    # Braces keep a bracket after a line's end from being read as its argument.
    return rf"{text} {{\scriptsize [{escaped(cell.interval)}]}}" if cell.interval else text


def escaped(text: str) -> str:
    r"""Text that LaTeX prints as it is, in pure ASCII.

    Letters with accents become LaTeX's own; a sign that LaTeX cannot set is named.

    Example:
        >>> escaped("50 % of A_1 & Köln")
        '50 \\% of A\\_1 \\& K\\"{o}ln'
    """
    one_line = shown(text.replace("\n", " "))
    return "".join(_letter(letter) for letter in one_line)


def _letter(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if letter.isascii():
        return letter
    base, *marks = list(unicodedata.normalize("NFD", letter))
    if marks and base.isascii() and all(mark in _ACCENTS for mark in marks):
        for mark in marks:
            base = f"\\{_ACCENTS[mark]}{{{base}}}"
        return base
    return f"[{unicodedata.name(letter, f'U+{ord(letter):04X}').lower()}]"
