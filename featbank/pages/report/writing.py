"""From what a report says to a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featbank.bank.bank import write_atomically
from featbank.errors import DiskError
from featbank.lookup.baselines import BASELINES
from featbank.pages.paper_tables import PREAMBLE, as_latex, as_markdown, paper_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featbank.stages.report.content import ReportContent

    Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Written:
    """A report on disk.

    Attributes:
        path: Where it stands.
        size: Bytes.
        figures: Figures that were drawn; 0 of tables alone.
        not_drawn: Why others were not.
        points: Points on the map; 0 without one.
        thumbnails: Chips that have a picture.
    """

    path: Path
    size: int
    figures: int = 0
    not_drawn: tuple[str, ...] = ()
    points: int = 0
    thumbnails: int = 0

    def as_json(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        return {
            "page": str(self.path),
            "bytes": self.size,
            "figures": self.figures,
            "not_drawn": list(self.not_drawn),
            "points": self.points,
            "thumbnails": self.thumbnails,
        }


def write_report(content: ReportContent, *, progress: Progress | None = None) -> Written:
    """Write the page, or the tables, that the options ask for.

    Args:
        content: What it says.
        progress: Is told thumbnails done and thumbnails in all.

    Raises:
        DiskError: The file cannot be written.
    """
    if content.options.format == "html":
        from featbank.pages.report.page import render_page

        page = render_page(content, progress=progress)
        return Written(
            path=content.out,
            size=_write(content.out, page.html),
            figures=page.figures,
            not_drawn=page.not_drawn,
            points=page.points,
            thumbnails=page.thumbnails,
        )
    return Written(path=content.out, size=_write(content.out, tables_as_text(content)))


def tables_as_text(content: ReportContent) -> str:
    """The tables as Markdown or LaTeX.

    The tables by class are those of the best result, or of all results that were named.
    """
    tables = paper_tables(content.results, content.names, baselines=BASELINES)
    by_class = [table for table in tables if table.section == "classes"]
    left_out = [] if content.options.results else by_class[1:]
    kept = [table for table in tables if table not in left_out]
    if content.options.format == "md":
        caveats = "".join(f"- {caveat}\n" for caveat in content.facts.caveats)
        return "\n".join(
            [*map(as_markdown, kept), *([f"Caveats:\n\n{caveats}"] if caveats else [])]
        )
    return "\n".join([PREAMBLE, *map(as_latex, kept)])


def _write(path: Path, text: str) -> int:
    # Half a surrogate pair, of a name that is no UTF-8, is written out.
    data = text.encode(errors="backslashreplace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    except OSError as error:
        raise DiskError(
            str(path),
            f"it cannot be written ({error.strerror})",
            "a file in a folder of yours",
            "Name one with --out.",
        ) from error
    return len(data)
