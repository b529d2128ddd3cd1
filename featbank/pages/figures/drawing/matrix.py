"""A matrix over classes: coloured cells, what stands in them, names beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.pages.figures.drawing.style import GREY, SMALL_PT, headed, new_figure, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from featbank.image import Array

# Names of more classes than this would stand too close below the columns: numbers stand there.
_NAMED_COLUMNS = 12
_LARGEST_CELL, _SMALLEST_CELL = 0.62, 0.27
# Inches that grow with no class: names, the bar of colours, title and caption.
_BAR_WIDTH, _AROUND, _CHARACTER = 1.5, 1.4, 0.062
_NAME_CHARS = 48
_ABSENT = "#eeeeee"
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """What is drawn.

    Attributes:
        values: (R, C) numbers that colours tell; NaN is drawn grey.
        texts: (R, C) what stands in the cells; '' for nothing.
        names: (R,) names of the rows, and of the columns where ``columns`` is empty.
        columns: (C,) names of the columns.
        colours: Name of a colour map.
        limits: Values of its ends.
        sides: What rows and columns are.
        scale: What the bar of colours tells.
    """

    values: Array
    texts: Array
    names: Sequence[str]
    colours: str
    limits: tuple[float, float]
    sides: tuple[str, str]
    scale: str


def draw_matrix(matrix: Matrix, *, title: str, caption: str) -> Figure:
    """A figure that grows with the number of classes."""
    count = len(matrix.names)
    cell = float(np.clip(7 / max(count, 1), _SMALLEST_CELL, _LARGEST_CELL))
    side = cell * count
    below = _CHARACTER * _longest(matrix.names, _NAME_CHARS // 2)
    height = max(side, 1.2) + _AROUND + (below if count <= _NAMED_COLUMNS else 0)
    beside = _CHARACTER * _longest(matrix.names, _NAME_CHARS)
    width = max(side + beside + _BAR_WIDTH, 6.0)
    figure = new_figure(width, height)
    axes = figure.add_subplot()
    picture = _cells(axes, matrix)
    _name(axes, matrix)
    _write(axes, picture, matrix, cell)
    bar = figure.colorbar(picture, ax=axes, shrink=min(1.0, 3 / max(side, 3)), aspect=25, pad=0.02)
    bar.set_label(matrix.scale, fontsize=SMALL_PT)
    bar.ax.tick_params(labelsize=SMALL_PT)
    headed(figure, title, caption)
    return figure


def _longest(names: Sequence[str], width: int) -> int:
    """Characters of the longest line."""
    return max(
        (len(line) for name in names for line in wrapped(name, width).split("\n")), default=0
    )


def _cells(axes: Axes, matrix: Matrix) -> AxesImage:
    from matplotlib import colormaps

    colours = colormaps[matrix.colours].with_extremes(bad=_ABSENT)
    low, high = matrix.limits
    shown = np.ma.masked_invalid(matrix.values)
    picture = axes.imshow(shown, cmap=colours, vmin=low, vmax=high, aspect="equal")
    rows, columns = matrix.values.shape
    axes.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.5)
    axes.tick_params(which="both", length=0, labelsize=SMALL_PT)
    axes.spines[:].set_visible(False)
    return picture


def _name(axes: Axes, matrix: Matrix) -> None:
    rows, columns = matrix.sides
    axes.set_ylabel(rows, fontsize=SMALL_PT + 1)
    axes.set_xlabel(columns, fontsize=SMALL_PT + 1)
    positions = np.arange(len(matrix.names))
    names = [wrapped(name, _NAME_CHARS) for name in matrix.names]
    if len(names) <= _NAMED_COLUMNS:
        narrow = [wrapped(name, _NAME_CHARS // 2) for name in matrix.names]
        axes.set_yticks(positions, names)
        axes.set_xticks(positions, narrow, rotation=90, multialignment="right")
        return
    numbered = [f"{name}  {k}" for k, name in enumerate(names, start=1)]
    axes.set_yticks(positions, numbered, fontsize=_row_pt(names))
    axes.set_xticks(positions, [str(k + 1) for k in positions])


def _row_pt(names: Sequence[str]) -> float:
    is_wrapped = any("\n" in name for name in names)
    return SMALL_PT - 1 if is_wrapped else SMALL_PT


def _write(axes: Axes, picture: AxesImage, matrix: Matrix, cell: float) -> None:
    texts, values = matrix.texts, np.ma.masked_invalid(matrix.values)
    absent = np.ma.getmaskarray(values)
    longest = max((max(map(len, str(text).split("\n"))) for text in texts.flat), default=0)
    # A digit is .64 of the size wide; a tenth of the cell stays free.
    size = min(SMALL_PT, 0.9 * cell * 72 / (0.64 * max(longest, 1)))
    colours = np.asarray(picture.cmap(picture.norm(values)))
    is_dark = colours[..., :3] @ _LUMINANCE < 0.5
    for row, column in np.argwhere(texts != ""):
        colour = GREY if absent[row, column] else "white" if is_dark[row, column] else "black"
        text = axes.text(
            column, row, texts[row, column], ha="center", va="center", fontsize=size, color=colour
        )
        # Inside the cells by its size: the layout need not measure a thousand texts.
        text.set_in_layout(False)
