"""Sheets of chips: pictures in rows, with room for what stands below each."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from featbank.pages.figures.drawing.style import GREY, new_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from featbank.image import Array
    from featbank.pages.figures.drawing.style import DrawnFigure

_TILE, _GAP, _MARGIN = 1.25, 0.16, 0.15
_FONT, _TITLE_FONT = 7.5, 11.0
# DejaVu Sans: the mean character is 0.55 em wide, capitals more; a line is 1.4 em high.
_EM_WIDTH, _LINE = 0.6, 1.4
_PT = 1 / 72
_FRAMES = {"right": ("#0072B2", "solid"), "wrong": ("#D55E00", (0, (2.5, 1.5)))}
# Letters of an id that surely fit one line below a tile.
ID_LETTERS = 18
MARKS = {"right": "✓ ", "wrong": "✗ "}
_FRAME_PT = 3.0


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture and its caption.

    Attributes:
        picture: (H, W, 3) eight-bit, or (H, W) numbers with ``colours``.
        lines: Caption, each wrapped to the tile's width.
        frame: ``right``, ``wrong`` or '': told by colour, by line and by a mark in the caption.
        colours: Colour map of (H, W) numbers.
        limits: What the map's ends stand for; None takes the picture's own.
    """

    picture: Array
    lines: tuple[str, ...] = ()
    frame: str = ""
    colours: str | None = None
    limits: tuple[float, float] | None = None

    def caption(self, width: float) -> str:
        """The caption in lines that fit ``width`` inches."""
        mark = MARKS.get(self.frame, "")
        first, *others = self.lines or ("",)
        return "\n".join(part for line in (mark + first, *others) for part in _wrapped(line, width))


@dataclass(frozen=True, kw_only=True)
class Row:
    """Tiles side by side.

    Attributes:
        tiles: From left to right.
        heading: Stands above them; '' for none.
    """

    tiles: tuple[Tile, ...] = field(default_factory=tuple)
    heading: str = ""


def draw_sheet(
    rows: Sequence[Row], title: str, *, columns: int = 1, notes: str = "", tile: float = _TILE
) -> DrawnFigure:
    """A figure of rows of tiles, as large as its text needs.

    Args:
        rows: From top to bottom, then the next column of rows.
        title: Above all.
        columns: Columns of rows beside each other.
        notes: Below the title, smaller.
        tile: Side of a tile in inches.
    """
    per_column = -(-len(rows) // columns)
    row_width = max(len(row.tiles) for row in rows) * (tile + _GAP)
    width = max(columns * row_width + (columns - 1) * 2 * _GAP + 2 * _MARGIN, 3.2)
    head = _head(title, notes, width)
    groups = [rows[start : start + per_column] for start in range(0, len(rows), per_column)]
    bodies = [sum(_height(row, tile, row_width) for row in group) for group in groups]
    height = head + max(bodies) + _MARGIN
    figure = new_figure(width, height)
    # Everything has its place already.
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    _write_head(axes, title, notes, width)
    for number, group in enumerate(groups):
        y, x = head, _MARGIN + number * (row_width + 2 * _GAP)
        for row in group:
            y += _draw_row(axes, row, at=(x, y), tile=tile, row_width=row_width)
    return figure


def _head(title: str, notes: str, width: float) -> float:
    lines = len(_wrapped(title, width - 2 * _MARGIN, _TITLE_FONT))
    below = len(_wrapped(notes, width - 2 * _MARGIN)) if notes else 0
    return _MARGIN + _LINE * _PT * (lines * _TITLE_FONT + below * _FONT) + 0.12


def _write_head(axes: Axes, title: str, notes: str, width: float) -> None:
    lines = _wrapped(title, width - 2 * _MARGIN, _TITLE_FONT)
    axes.text(_MARGIN, _MARGIN, "\n".join(lines), fontsize=_TITLE_FONT, va="top")
    if notes:
        y = _MARGIN + len(lines) * _LINE * _PT * _TITLE_FONT + 0.03
        told = "\n".join(_wrapped(notes, width - 2 * _MARGIN))
        axes.text(_MARGIN, y, told, fontsize=_FONT, color=GREY, va="top")


def _heading_lines(row: Row, width: float) -> list[str]:
    return _wrapped(row.heading, width, _FONT + 1) if row.heading else []


def _height(row: Row, tile: float, row_width: float) -> float:
    """Inches that a row takes, its heading and captions included."""
    below = max((item.caption(tile).count("\n") + 1 for item in row.tiles if item.lines), default=0)
    above = len(_heading_lines(row, row_width)) * _LINE * _PT * (_FONT + 1)
    return above + tile + below * _LINE * _PT * _FONT + _GAP


def _draw_row(
    axes: Axes, row: Row, *, at: tuple[float, float], tile: float, row_width: float
) -> float:
    x, y = at
    heading = _heading_lines(row, row_width)
    if heading:
        axes.text(x, y, "\n".join(heading), fontsize=_FONT + 1, va="top", weight="bold")
        y += len(heading) * _LINE * _PT * (_FONT + 1)
    for number, item in enumerate(row.tiles):
        _draw_tile(axes, item, x + number * (tile + _GAP), y, tile)
    return _height(row, tile, row_width)


def _draw_tile(axes: Axes, item: Tile, x: float, y: float, tile: float) -> None:
    height, width = item.picture.shape[:2]
    share = tile / max(height, width)
    w, h = width * share, height * share
    left, top = x + (tile - w) / 2, y + (tile - h) / 2
    low, high = item.limits or (None, None)
    axes.imshow(
        item.picture,
        extent=(left, left + w, top + h, top),
        cmap=item.colours,
        vmin=low,
        vmax=high,
        interpolation="nearest" if max(height, width) < 64 else "antialiased",
        aspect="auto",
    )
    if item.frame:
        colour, line = _FRAMES[item.frame]
        axes.add_patch(
            Rectangle((left, top), w, h, fill=False, ec=colour, ls=line, lw=_FRAME_PT, zorder=3)
        )
    if item.lines:
        axes.text(x, y + tile + 0.04, item.caption(tile), fontsize=_FONT, va="top")


def _wrapped(text: str, width: float, font: float = _FONT) -> list[str]:
    """Lines of ``text`` that fit ``width`` inches; a long word is broken."""
    limit = max(8, int(width / (font * _EM_WIDTH * _PT)))
    return wrap(text, limit) or [""]
