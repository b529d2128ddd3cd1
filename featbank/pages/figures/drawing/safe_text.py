"""Texts of a figure are names that anyone may have written: nothing in them acts or is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axis import Axis
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter

from featbank.shown import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_IS_SAFE = "_featbank_is_safe"


def make_safe(figure: Figure) -> None:
    """Write control characters out and take dollars for dollars, in all that a figure says.

    SVG and PDF would be no files of their kind with control characters, and matplotlib sets text
    between dollars as formulas. What it writes itself at ticks (powers of ten) stays.
    """
    axes = figure.findobj(Axis)
    at_ticks = {id(text) for axis in axes for text in axis.findobj(Text)}
    at_ticks -= {id(axis.label) for axis in axes}
    for text in figure.findobj(Text):
        if id(text) not in at_ticks:
            text.set_parse_math(False)
            words, safe = text.get_text(), shown(text.get_text(), keeps_lines=True)
            if safe != words:
                text.set_text(safe)
    for axis in axes:
        for formatter in (axis.get_major_formatter(), axis.get_minor_formatter()):
            if isinstance(formatter, FixedFormatter | FuncFormatter):
                _make_ticks_safe(formatter)


def _make_ticks_safe(formatter: FixedFormatter | FuncFormatter) -> None:
    if getattr(formatter, _IS_SAFE, False):
        return
    plain = formatter.format_ticks

    def safe(values: list[float]) -> list[str]:
        words = (shown(text, keeps_lines=True) for text in plain(values))
        return [text.replace("$", r"\$") for text in words]

    formatter.format_ticks = safe  # type: ignore[method-assign] # of this formatter alone
    setattr(formatter, _IS_SAFE, True)
