"""How figures look: one face, colours that colour-blind readers tell apart, no global state."""

from __future__ import annotations

import contextlib
import io
import textwrap
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from featbank.disk import write_new, written_whole
from featbank.errors import DiskError, UsageError
from featbank.pages.figures.drawing.safe_text import make_safe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

# Okabe and Ito 2008, "Color Universal Design", without black (which is text) and yellow (which
# vanishes on white).
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A5C2E")
# Colours alone tell seven classes apart; with a second sign for each round of them, 49.
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
# Sequential and diverging maps that are even in lightness for all readers (matplotlib's own).
SEQUENTIAL, DIVERGING = "cividis", "RdBu_r"
# Shares of matrices that are mostly zero: zero is the paper's white.
SHARES = "Blues"
GREY, FAINT = "#6b6b6b", "#d9d9d9"
NBSP = "\N{NO-BREAK SPACE}"
SUFFIXES = (".svg", ".png", ".pdf")
_DPI = 150
TITLE_PT, TEXT_PT, SMALL_PT = 11, 9, 7.5
# Mean width of a character of DejaVu Sans, in points for each point of its size.
_ADVANCE, _PT_PER_INCH = 0.56, 72
# Inches of title, axis and caption above and below a legend.
_AROUND = 2.1
# The salt of the names inside an SVG; without one matplotlib draws them at random.
_SALT = "featbank"


class DrawnFigure(Figure):
    """A figure that shows itself in a notebook without pyplot.

    Its texts are names that anyone may have written: control characters in them are written out,
    since SVG and PDF would be no files of their kind with them, and a dollar is a dollar.
    """

    def draw(self, renderer: RendererBase) -> None:
        """As matplotlib does, with texts made safe first."""
        make_safe(self)
        super().draw(renderer)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=_DPI)
        return buffer.getvalue()


@contextlib.contextmanager
def own_style() -> Iterator[None]:
    """What is drawn and saved in this block looks the same for everybody.

    Matplotlib takes a ``matplotlibrc`` of the folder that the user stands in before any other.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        yield


def new_figure(width: float, height: float, **options: Any) -> DrawnFigure:  # noqa: ANN401
    """An empty figure whose parts make room for their own text.

    Args:
        width: Inches.
        height: Inches.
        **options: As ``matplotlib.figure.Figure`` takes them.
    """
    figure = DrawnFigure(figsize=(width, height), layout="constrained", **options)
    FigureCanvasAgg(figure)
    return figure


def headed(figure: Figure, title: str, caption: str = "") -> None:
    """Put a title above a figure and a caption below it, both wrapped to its width."""
    width = figure.get_figwidth() * _PT_PER_INCH / _ADVANCE - 2
    if title:
        text = wrapped(title, int(width / TITLE_PT))
        figure.suptitle(text, x=0.01, ha="left", fontsize=TITLE_PT, fontweight="bold")
    if caption:
        text = wrapped(caption, int(width / SMALL_PT))
        figure.supxlabel(text, x=0.01, ha="left", fontsize=SMALL_PT, color=GREY)


def wrapped(text: str, width: int = 30) -> str:
    r"""Text in lines of at most ``width`` characters; a longer word is broken.

    Example:
        >>> wrapped("Transitional woodland, shrub", 14)
        'Transitional\nwoodland,\nshrub'
    """
    return textwrap.fill(text, max(width, 1), break_on_hyphens=False)


def counted(name: str, count: float) -> str:
    """A name with its count, which no line break parts from the last word.

    Example:
        >>> counted("wood", 1234).replace(NBSP, "_")
        'wood_(1,234)'
    """
    return f"{name}{NBSP}({count:,.0f})"


def bare(axes: Axes, *, grid: str = "") -> Axes:
    """Take the frame off but for the two axes that are read.

    Args:
        axes: Where to.
        grid: ``x`` or ``y`` draws faint lines across that axis.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=SMALL_PT)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=FAINT, linewidth=0.6)  # type: ignore[arg-type] # x or y
    return axes


def beside(axes: Axes) -> None:
    """Put the legend to the right of the axes; the figure grows where the legend is the higher."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        lines = sum(label.count("\n") + 1 for label in labels)
        # matplotlib's lines are 1.2 of the size high, and entries half of it apart.
        needed = (1.2 * lines + 0.5 * len(labels)) * SMALL_PT / _PT_PER_INCH + _AROUND
        figure = axes.get_figure(root=True)
        if figure is not None:
            figure.set_figheight(max(figure.get_figheight(), needed))
        axes.legend(
            handles,
            labels,
            loc="upper left",
            bbox_to_anchor=(1.01, 1),
            borderaxespad=0,
            fontsize=SMALL_PT,
            frameon=False,
        )


def class_mark(position: int) -> tuple[str, str]:
    """Colour and marker of the class at a position; 49 differ.

    Example:
        >>> class_mark(0) == class_mark(49), class_mark(0) == class_mark(7)
        (True, False)
    """
    round_ = position // len(COLOURS)
    return COLOURS[position % len(COLOURS)], MARKERS[round_ % len(MARKERS)]


def require_suffix(path: Path) -> None:
    """Fail early where a figure cannot be written in the format that the suffix names.

    Raises:
        UsageError: Its suffix is none of ``SUFFIXES``.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            str(path), f"its suffix is '{path.suffix}'", " or ".join(SUFFIXES), "Name it so."
        )


def curve_mark(position: int) -> tuple[str, str]:
    """Colour and marker of the curve at a position; neighbours differ in both, 49 in one.

    Example:
        >>> len({curve_mark(position) for position in range(49)})
        49
    """
    round_, place = divmod(position, len(COLOURS))
    return COLOURS[place], MARKERS[(place + round_) % len(MARKERS)]


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure in the format that the suffix names, the same bytes for the same figure.

    Raises:
        UsageError: Its suffix is none of ``SUFFIXES``.
        DiskError: It cannot be written there.
    """
    require_suffix(path)
    # A date would make each file another.
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context({"svg.hashsalt": _SALT}), written_whole(path) as hidden:
            kind = path.suffix.lower().removeprefix(".")
            write_new(hidden, b"")
            figure.savefig(hidden, format=kind, dpi=_DPI, metadata=undated)
    except OSError as error:
        raise DiskError(
            str(path),
            f"cannot be written ({error.strerror or error})",
            "a file in a folder that can be written",
            "Choose another place.",
        ) from error
    return path
