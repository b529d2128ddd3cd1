"""Ids and names that fit into little room."""

from __future__ import annotations

_ELLIPSIS = "…"


def cut(text: str, limit: int) -> str:
    """A text with its end left out where it is too long; the beginning tells classes apart.

    Args:
        text: A name.
        limit: Characters, at least 2.

    Example:
        >>> cut("Land principally occupied by agriculture", 20)
        'Land principally oc…'
    """
    return text if len(text) <= limit else f"{text[: limit - 1]}{_ELLIPSIS}"


def shortened(text: str, limit: int) -> str:
    """A text with its middle left out where it is too long; the end tells ids apart.

    Args:
        text: An id or a name.
        limit: Characters, at least 3.

    Example:
        >>> shortened("S2A_MSIL2A_20170613T101031_0_45", 15)
        'S2A_…01031_0_45'
        >>> shortened("wood/07", 15)
        'wood/07'
    """
    if len(text) <= limit:
        return text
    head = (limit - 1) // 3
    return f"{text[:head]}{_ELLIPSIS}{text[len(text) - (limit - 1 - head) :]}"
