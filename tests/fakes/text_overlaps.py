"""Tells which texts of a figure cover one another or leave the page."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

# Boxes hold room for letters that reach below the line; so little is never seen.
_SLACK_PX = 1.5


def drawn_texts(figure):
    """Texts that drawing the figure really puts on paper, with their boxes (n, 4) in pixels."""
    found = []
    draw = Text.draw

    def recorded(self, renderer, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), self.get_window_extent(renderer).extents))
        return draw(self, renderer, *args, **kwargs)

    with patch.object(Text, "draw", recorded):
        FigureCanvasAgg(figure).draw()
    # The layout may draw more than once; a text counts where it stands last.
    return [text for text, _ in found], np.array([box for _, box in found]).reshape(-1, 4)


def text_faults(figure):
    """Texts that cover one another, and texts of which a part is cut off, in words."""
    texts, boxes = drawn_texts(figure)
    pairs = [f"{texts[i]!r} covers {texts[j]!r}" for i, j in _overlaps(boxes)]
    return pairs + [f"{texts[i]!r} is cut off" for i in _cut_off(boxes, figure)]


def _overlaps(boxes):
    x0, y0, x1, y1 = boxes.T
    wide = np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0)
    high = np.minimum(y1[:, None], y1) - np.maximum(y0[:, None], y0)
    return np.argwhere(np.triu((wide > _SLACK_PX) & (high > _SLACK_PX), k=1))


def _cut_off(boxes, figure):
    page = figure.get_size_inches() * figure.dpi
    is_off = (boxes[:, :2] < -_SLACK_PX) | (boxes[:, 2:] > page + _SLACK_PX)
    return np.flatnonzero(is_off.any(axis=1))
