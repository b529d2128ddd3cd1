"""Figures of the catalog inside a page: SVG with text that can be selected, or a picture."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from featbank.errors import FeatbankError
from featbank.pages.figures import FIGURES, FigureOptions, FigureSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.figure import Figure

    from featbank.lookup.subject import Subject
    from featbank.result import Result
    from featbank.stages.report.content import ReportContent

    Named = tuple[tuple[Result, ...], str]

_PICTURE_DPI = 144
# Charts stay far below; drawings of thousands of points and sheets of chips are above.
_SVG_BYTES = 250_000
# WebP at which letters of a figure show no halo.
_QUALITY = 88
# From the answer to what it rests on; figures that are not named here come last.
_ORDER = (
    *("headlines", "comparison", "feature-map", "map-panels", "class-distribution"),
    *("label-correlation", "label-cooccurrence", "class-scores", "confusion-matrix"),
    *("label-confusion", "precision-recall", "reliability", "few-shot-curve", "k-curve"),
    *("examples", "cases", "retrieval", "attention", "token-pca", "token-norms", "cost"),
)
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
        svg: The drawing; '' where it is a picture.
        webp: base64 of a picture; '' where it is an SVG.
        width: CSS pixels.
        height: CSS pixels.
    """

    key: str
    name: str
    title: str
    caption: str
    svg: str
    webp: str
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
        Figures in the order of ``_ORDER``, and lines such as ``Few-shot curve: needs ...``.
    """
    drawn: list[PageFigure] = []
    lines: list[str] = []
    if content.subject is None:
        return drawn, ["The figures: the store is no longer there."]
    for spec in sorted(figures.values(), key=_place):
        if not spec.in_report:
            continue
        for subject, said in _subjects(spec, content, content.subject):
            outcome = _draw(spec, subject, said, content.options.by, len(drawn))
            if isinstance(outcome, str):
                lines.append(outcome)
            else:
                drawn.append(outcome)
    return drawn, list(dict.fromkeys(lines))


def _place(spec: FigureSpec) -> int:
    return _ORDER.index(spec.name) if spec.name in _ORDER else len(_ORDER)


def _subjects(
    spec: FigureSpec, content: ReportContent, subject: Subject
) -> Iterator[tuple[Subject, str]]:
    """What a figure is drawn of: each label set once, or the best result of each."""
    by_set = _by_label_set(content)
    if not by_set:
        yield subject, ""
    for labels, pairs in by_set.items():
        if spec.per_result:
            for rows, name in _shown(spec, content, subject, pairs):
                yield _of_result(subject, (rows,)), name
        else:
            said = f"labels {labels}" if len(by_set) > 1 else ""
            yield _of_result(subject, tuple(rows for rows, _ in pairs)), said


def _by_label_set(content: ReportContent) -> dict[str, list[Named]]:
    """Results and their names by label set, the one that the page is about first."""
    found: dict[str, list[Named]] = {}
    if content.subject is not None and content.subject.label_set is not None:
        found[content.subject.label_set] = []
    for rows, name in zip(content.results, content.names, strict=True):
        found.setdefault(rows[0].label_set, []).append((rows, name))
    return {labels: pairs for labels, pairs in found.items() if pairs}


def _shown(
    spec: FigureSpec, content: ReportContent, subject: Subject, pairs: Sequence[Named]
) -> Sequence[Named]:
    """All results that were named; else the best, or another that the figure needs.

    The best is one with predictions. A few-shot curve needs a few-shot run, a curve over k one
    that tells every k: the first of them that lacks nothing is drawn.
    """
    if content.options.results:
        return pairs
    kept = [p for p in pairs if content.bank.predictions_path(p[0][0].result).exists()]
    best = (kept or pairs)[:1]
    others = [
        *[p for p in pairs if p[0][0].shots is not None][:1],
        *[p for p in pairs if _is_told_by_candidate(p[0])][:1],
    ]
    for pair in (*best, *others):
        if not spec.lacks(_of_result(subject, (pair[0],))):
            return [pair]
    return best


def _is_told_by_candidate(rows: tuple[Result, ...]) -> bool:
    """Whether a result tells its headline for several parameters."""
    return len({row.params for row in rows}) > 1


def _of_result(subject: Subject, results: tuple[tuple[Result, ...], ...]) -> Subject:
    """The store with some results alone, under their label set and split scheme."""
    head, store = results[0][0], subject.store
    labels = head.label_set if head.label_set in store.label_sets else subject.label_set
    scheme = head.split_scheme if head.split_scheme in store.split_schemes else subject.split_scheme
    return replace(subject, results=results, label_set=labels, split_scheme=scheme)


def _draw(
    spec: FigureSpec, subject: Subject, said: str, by: str | None, place: int
) -> PageFigure | str:
    from featbank.pages.figures.drawing.style import own_style

    title = f"{spec.title}: {said}" if said else spec.title
    try:
        missing = spec.lacks(subject)
        if missing:
            return f"{title}: needs {missing}."
        with own_style():
            figure = spec.draw(subject, FigureOptions(by=by))
            return page_figure(figure, spec, title=title, key=f"figure-{place}")
    except FeatbankError as error:
        return f"{title}: {error}"


def page_figure(figure: Figure, spec: FigureSpec, *, title: str, key: str) -> PageFigure:
    """A matplotlib figure as what a page holds.

    Args:
        figure: The figure.
        spec: Its entry in the catalog.
        title: What stands above it.
        key: Unique in the page: every id of the SVG begins with it.
    """
    svg = _svg(figure, key)
    webp = "" if len(svg) <= _SVG_BYTES else _picture(figure)
    width, height = (round(inches * 96) for inches in figure.get_size_inches())
    is_svg = not webp or len(svg) <= len(webp)
    return PageFigure(
        key=key,
        name=spec.name,
        title=title,
        caption=f"{spec.summary[:1].upper()}{spec.summary[1:]}.",
        svg=svg if is_svg else "",
        webp="" if is_svg else webp,
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


def _picture(figure: Figure) -> str:
    from PIL import Image

    drawn = Image.open(io.BytesIO(_saved(figure, "png", dpi=_PICTURE_DPI))).convert("RGB")
    buffer = io.BytesIO()
    drawn.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return base64.b64encode(buffer.getvalue()).decode()


def _saved(figure: Figure, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()
