"""The terminal as pages print to it: a name's brackets and control characters do nothing there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.errors import MarkupError
from rich.markup import escape
from rich.segment import Segment

from featbank.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType
    from rich.text import Text


class Screen(Console):
    """A console to which every text is safe to print.

    Control characters are written out, and a text that is no markup is printed as it stands. Names
    go through ``named`` before they come here, so that their brackets are kept too.
    """

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401
        """As rich does, with control characters written out."""
        safe = shown(text, keeps_lines=True)
        try:
            return super().render_str(safe, **options)
        except MarkupError:
            return super().render_str(safe, **{**options, "markup": False})

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """As rich does, for texts too that were made elsewhere."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else shown(text, keeps_lines=True), style, control)


def named(name: object) -> str:
    """A name as a cell of a table or a part of a line: one line, as it is, without any effect."""
    return escape(shown(str(name)))


def worded(text: str) -> str:
    """A text of several lines, likewise; the ends of its lines stand."""
    return escape(shown(text, keeps_lines=True))
