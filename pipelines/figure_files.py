"""Figures of results as files, and the tables that a paper prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import featbank
from featbank.bank.bank import Bank
from featbank.lookup.subject_finding import find_subject
from featbank.pages.figure_drawing import draw_figure
from featbank.pages.figures import FIGURES, FigureOptions
from featbank.pages.figures.drawing.style import save_figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from featbank.lookup.subject import Subject

_SUFFIXES = (".svg", ".png")


def write_figures(
    names: Sequence[str],
    results: Sequence[str],
    *,
    bank: Path,
    out: Path,
    **options: Any,  # noqa: ANN401 - fields of FigureOptions
) -> None:
    """Write figures as SVG and PNG, and say of the others what they need.

    Args:
        names: Names in the figures catalog.
        results: Ids of results; a figure of one result is drawn of each.
        bank: Folder of stores, results and maps.
        out: Folder to write into.
        **options: ``metric``, ``threshold``, ….
    """
    whole = find_subject(Bank(bank), results=results)
    for name in names:
        subjects = [whole.of(rows) for rows in whole.results]
        for subject in subjects if FIGURES[name].per_result else [whole]:
            _write(name, subject, out, FigureOptions(**options))


def _write(name: str, subject: Subject, out: Path, options: FigureOptions) -> None:
    spec = FIGURES[name]
    title = f"{name}-{subject.headlines[0].protocol}" if spec.per_result else name
    lacking = spec.lacks(subject)
    if lacking:
        print(f"{title}: left out, it needs {lacking}.")
        return
    figure = draw_figure(name, subject, options).figure
    for suffix in _SUFFIXES:
        save_figure(figure, out / f"{title}{suffix}")


def write_tables(results: Sequence[str], *, bank: Path, out: Path) -> None:
    """Write the tables of results as Markdown and LaTeX.

    Args:
        results: Ids of results.
        bank: Folder of stores and results.
        out: Folder to write into.
    """
    for name, suffix in (("md", "md"), ("latex", "tex")):
        featbank.report(*results, bank=bank, out=out / f"tables.{suffix}", format=name)
