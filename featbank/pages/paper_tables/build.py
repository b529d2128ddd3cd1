"""All tables of a report, of the rows of its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.pages.paper_tables.classes import class_table
from featbank.pages.paper_tables.decisions import decision_tables
from featbank.pages.paper_tables.ranking import leaderboards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.pages.paper_tables.table import PaperTable
    from featbank.result import Result


def paper_tables(
    results: Sequence[tuple[Result, ...]], names: Sequence[str], *, baselines: Sequence[str] = ()
) -> list[PaperTable]:
    """Leaderboards, decisions on labels, and one table by class for each result.

    Args:
        results: Rows of each result, its headline first.
        names: What each is called.
        baselines: Models that stand beside the others as baselines.
    """
    classes = [class_table(rows, name) for rows, name in zip(results, names, strict=True)]
    return [
        *leaderboards(results, names, baselines=baselines),
        *decision_tables(results, names, baselines=baselines),
        *(table for table in classes if table is not None),
    ]
