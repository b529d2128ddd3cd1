"""Figures of the catalog inside a page: SVG with text that can be selected, or PNG if smaller."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.errors import FeatbankError
from featbank.pages.figures import FIGURES, FigureOptions, FigureSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.figure import Figure

    from featbank.result import Result
    from featbank.stages.reporting.content import ReportContent
    from featbank.stages.subject import Subject

_PNG_DPI = 144
_HEAD = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<style.*?</style>", re.S)
_REFERENCE = re.compile(r'(\bid="|url\(#|href="#)')


@dataclass(frozen=True, kw_only=True)
class PageFigure:
    """One figure of a page.

    Attributes:
        key: Unique in the page.
        name: In the figures catalog.
        title: What stands above it.
        caption: What stands below it, and is read out instead of it.
        svg: The drawing; '' where the PNG is smaller.
        png: base64; '' where the SVG is smaller.
        width: CSS pixels.
        height: CSS pixels.
    """

    key: str
    name: str
    title: str
    caption: str
    svg: str
    png: str
    width: int
    height: int


def draw_figures(
    content: ReportContent, figures: Mapping[str, FigureSpec] = FIGURES
) -> tuple[list[PageFigure], list[str]]:
    """Every figure that applies, and why others do not.

    Errors that are named become a line; any other is a fault of ours and is raised.

    Args:
        content: The report.
        figures: Catalog of figures.

    Returns:
        Figures in the catalog's order, and lines such as ``Few-shot curve: needs ...``.
    """
    drawn: list[PageFigure] = []
    lines: list[str] = []
    if content.subject is None:
        return drawn, ["The figures: the store is no longer there."]
    for spec in figures.values():
        if not spec.in_report:
            continue
        for subject, said in _subjects(spec, content, content.subject):
            outcome = _draw(spec, subject, said, content.options.by, len(drawn))
            if isinstance(outcome, str):
                lines.append(outcome)
            else:
                drawn.append(outcome)
    return drawn, list(dict.fromkeys(lines))


def _subjects(
    spec: FigureSpec, content: ReportContent, subject: Subject
) -> Iterator[tuple[Subject, str]]:
    """What a figure is drawn of: everything once, or the best result of each label set."""
    if not spec.per_result:
        yield subject, ""
        return
    found = _of_label_sets(content)
    if not found:
        yield subject, ""
    for rows, name in found:
        yield _of_result(subject, rows), name


def _of_label_sets(content: ReportContent) -> Sequence[tuple[tuple[Result, ...], str]]:
    """The best result with predictions of each label set; all results where they are named."""
    pairs = list(zip(content.results, content.names, strict=True))
    if content.options.results:
        return pairs
    first: dict[str, tuple[tuple[Result, ...], str]] = {}
    for rows, name in pairs:
        has = content.bank.predictions_path(rows[0].result).exists()
        if has or rows[0].label_set not in first:
            held = first.get(rows[0].label_set)
            is_better = (
                held is None or not content.bank.predictions_path(held[0][0].result).exists()
            )
            if is_better:
                first[rows[0].label_set] = (rows, name)
    return list(first.values())


def _of_result(subject: Subject, rows: tuple[Result, ...]) -> Subject:
    from dataclasses import replace

    labels = rows[0].label_set if rows[0].label_set in subject.store.label_sets else None
    scheme = rows[0].split_scheme if rows[0].split_scheme in subject.store.split_schemes else None
    return replace(subject.of(rows), label_set=labels or subject.label_set,
                   split_scheme=scheme or subject.split_scheme)  # fmt: skip


def _draw(
    spec: FigureSpec, subject: Subject, said: str, by: str | None, place: int
) -> PageFigure | str:
    title = f"{spec.title}: {said}" if said else spec.title
    try:
        missing = spec.missing(subject)
        if missing:
            return f"{title}: needs {missing}."
        figure = spec.draw(subject, FigureOptions(by=by))
    except FeatbankError as error:
        return f"{title}: {error}"
    return page_figure(figure, spec, title=title, key=f"figure-{place}")


def page_figure(figure: Figure, spec: FigureSpec, *, title: str, key: str) -> PageFigure:
    """A matplotlib figure as what a page holds.

    Args:
        figure: The figure.
        spec: Its entry in the catalog.
        title: What stands above it.
        key: Unique in the page: every id of the SVG begins with it.
    """
    svg = _svg(figure, key)
    png = base64.b64encode(_saved(figure, "png", dpi=_PNG_DPI)).decode()
    width, height = (round(inches * 96) for inches in figure.get_size_inches())
    is_svg = len(svg) <= len(png)
    return PageFigure(
        key=key,
        name=spec.name,
        title=title,
        caption=spec.summary,
        svg=svg if is_svg else "",
        png="" if is_svg else png,
        width=width,
        height=height,
    )


def _svg(figure: Figure, key: str) -> str:
    import matplotlib as mpl

    # Text as text; ids by a salt of their own, the same on every run.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": key}):
        text = _saved(figure, "svg", metadata={"Date": None}).decode()
    # Ids of two drawings in one page would meet: clip paths of one would cut the other.
    return _REFERENCE.sub(rf"\g<1>{key}-", _HEAD.sub("", text)).strip()


def _saved(figure: Figure, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()
