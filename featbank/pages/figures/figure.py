"""What a figure is: a record that is cheap to import, and a function that draws it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from featbank.lookup.subject import Subject


@dataclass(frozen=True, kw_only=True)
class FigureOptions:
    """What the caller may choose of a figure; each figure reads what concerns it.

    Attributes:
        ids: Sample ids to draw; () lets the figure choose.
        by: Column to colour or group by; None takes the figure's own.
        metric: Metric to draw; None takes the figure's own.
        threshold: Decisions on labels: ``0.5`` or ``tuned-f2``.
        k: Neighbours shown.
        seed: Seed of what is drawn at random.
    """

    ids: tuple[str, ...] = ()
    by: str | None = None
    metric: str | None = None
    threshold: str = "0.5"
    k: int = 6
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class FigureSpec:
    """A catalog entry.

    Attributes:
        name: What users type after ``featbank figure``.
        title: What stands above it in a report.
        summary: One line on what it shows.
        per_result: Whether it speaks of one result at a time.
        missing: What the subject lacks for it, as the end of "needs ..."; empty where it can be
            drawn. It reads no more than it must.
        draw: Draws it.
        in_report: Whether the report page draws it unasked.
        needs_store: Whether it reads the store; others draw results whose store is gone.
    """

    name: str
    title: str
    summary: str
    per_result: bool = False
    missing: Callable[[Subject], str] = field(repr=False)
    draw: Callable[[Subject, FigureOptions], Figure] = field(repr=False)
    in_report: bool = True
    needs_store: bool = True

    def lacks(self, subject: Subject) -> str:
        """What the subject lacks for it, as the end of "needs ..."; empty where it can be drawn."""
        if self.needs_store and not subject.has_store:
            return f"the store {subject.store.path.name}, which is gone"
        return self.missing(subject)
