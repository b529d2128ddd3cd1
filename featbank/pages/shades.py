"""Colours of up to 49 classes on a screen: seven hues in seven shades."""

from __future__ import annotations

# Okabe and Ito 2008, as in the figures.
_HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A5C2E")
GREY = "#9a9a9a"
# How far each round goes towards white (above 0) or black (below).
_ROUNDS = (0.0, 0.45, -0.4, 0.22, -0.2, 0.65, -0.6)
SHADES = len(_HUES) * len(_ROUNDS)


def shade(position: int) -> str:
    """Colour of the class at a position; 49 differ.

    Args:
        position: 0 or more.

    Example:
        >>> shade(0), shade(7) == shade(0), shade(49) == shade(0)
        ('#0072b2', False, True)
    """
    hue = _HUES[position % len(_HUES)]
    mix = _ROUNDS[position // len(_HUES) % len(_ROUNDS)]
    goal = 255 if mix > 0 else 0
    parts = (int(hue[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(part + (goal - part) * abs(mix)):02x}" for part in parts)
