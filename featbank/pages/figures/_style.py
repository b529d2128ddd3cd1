"""How figures look: one face, colours that colour-blind readers tell apart, no global state."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from featbank.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

# Okabe and Ito 2008, "Color Universal Design", without black (which is text) and yellow (which
# vanishes on white).
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A5C2E")
# Colours alone tell seven classes apart; with a second sign for each round of them, 49.
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
# Sequential and diverging maps that are even in lightness for all readers (matplotlib's own).
SEQUENTIAL, DIVERGING = "cividis", "RdBu_r"
GREY, FAINT = "#6b6b6b", "#d9d9d9"
SUFFIXES = (".svg", ".png", ".pdf")
_DPI = 150


class Drawing(Figure):
    """A figure that shows itself in a notebook without pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=_DPI)
        return buffer.getvalue()


def new_figure(width: float, height: float, **options: Any) -> Drawing:  # noqa: ANN401
    """An empty figure whose parts make room for their own text.

    Args:
        width: Inches.
        height: Inches.
        **options: As ``matplotlib.figure.Figure`` takes them.
    """
    figure = Drawing(figsize=(width, height), layout="constrained", **options)
    FigureCanvasAgg(figure)
    return figure


def class_mark(position: int) -> tuple[str, str]:
    """Colour and marker of the class at a position; 49 differ.

    Example:
        >>> class_mark(0) == class_mark(49), class_mark(0) == class_mark(7)
        (True, False)
    """
    round_ = position // len(COLOURS)
    return COLOURS[position % len(COLOURS)], MARKERS[round_ % len(MARKERS)]


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure in the format that the suffix names, the same bytes for the same figure.

    Raises:
        UsageError: Its suffix is none of ``SUFFIXES``.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            str(path), f"its suffix is '{path.suffix}'", " or ".join(SUFFIXES), "Name it so."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    # A date would make each file another.
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})
    figure.savefig(path, dpi=_DPI, metadata=undated)
    return path
