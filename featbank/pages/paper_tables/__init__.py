"""Tables as a paper prints them: built once of results, written as HTML, Markdown or LaTeX."""

from featbank.pages.paper_tables.build import paper_tables
from featbank.pages.paper_tables.latex import PREAMBLE, as_latex
from featbank.pages.paper_tables.markdown import as_markdown
from featbank.pages.paper_tables.table import PaperTable, TableCell, TableColumn, TableRow

__all__ = [
    "PREAMBLE",
    "PaperTable",
    "TableCell",
    "TableColumn",
    "TableRow",
    "as_latex",
    "as_markdown",
    "paper_tables",
]
