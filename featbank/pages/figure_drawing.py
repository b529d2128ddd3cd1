"""Drawing one figure of the catalog by its name: what it is of, what is lacking, where it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.errors import StoreError, UsageError
from featbank.lookup.result_names import names_of
from featbank.pages.figures import FIGURES, FigureOptions, FigureSpec

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from featbank.lookup.subject import Subject

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A figure and what it is of.

    Attributes:
        figure: The figure.
        spec: Its catalog entry.
        subject: What it is drawn of; of a figure of one result that result alone.
        told: What was chosen where nothing was named; empty where all was.
    """

    figure: Figure
    spec: FigureSpec
    subject: Subject
    told: str = ""


def draw_figure(
    name: str, subject: Subject, options: FigureOptions | None = None, *, is_named: bool = True
) -> Drawn:
    """Draw a figure.

    Args:
        name: A name of ``FIGURES``.
        subject: Store and results.
        options: What the caller chooses of it.
        is_named: Whether the caller named the results; otherwise a figure of one result takes the
            first of them that it can be drawn of.

    Raises:
        UnknownNameError: No such figure.
        UsageError: Several results for a figure of one.
        StoreError: What the subject lacks.
    """
    spec = FIGURES[name]
    chosen, told = (subject, "") if not spec.per_result else _one(spec, subject, is_named=is_named)
    lacking = spec.lacks(chosen)
    if lacking:
        raise StoreError(
            spec.name,
            f"{_said(subject)} lacks what it needs",
            lacking,
            "Name other results by their ids, or another store with --store or --dataset.",
        )
    figure = spec.draw(chosen, options or FigureOptions())
    return Drawn(figure=figure, spec=spec, subject=chosen, told=told)


def default_path(drawn: Drawn) -> Path:
    """Where a figure goes when nobody says: ``<bank>/figures/<dataset>-<name>.png``."""
    dataset = drawn.subject.store.path.parent.name
    if drawn.subject.results:
        dataset = drawn.subject.results[0][0].dataset
    return drawn.subject.bank.root / "figures" / f"{dataset}-{drawn.spec.name}.png"


def _one(spec: FigureSpec, subject: Subject, *, is_named: bool) -> tuple[Subject, str]:
    """The subject with one result, and which was taken of several."""
    if is_named and len(subject.results) > 1:
        raise UsageError(
            spec.name,
            f"{len(subject.results)} results are named",
            "one",
            "Name the result that it is drawn of.",
        )
    if len(subject.results) < 2:
        return subject, ""
    fitting = [rows for rows in subject.results if not spec.lacks(subject.of(rows))]
    if not fitting:
        return subject.of(subject.results[0]), ""
    heads = [rows[0] for rows in fitting]
    name = names_of(heads[:1])[0]
    others = ", ".join(head.result[:8] for head in heads[1 : _SHOWN + 1])
    more = f"; others: {others}" + (", …" if len(heads) > _SHOWN + 1 else "") if others else ""
    return subject.of(fitting[0]), f"Of result {heads[0].result[:8]} ({name}), the newest{more}."


def _said(subject: Subject) -> str:
    count = len(subject.results)
    results = f"{count} result{'' if count == 1 else 's'}"
    return f"store {subject.store.path.name} with {results}"
