"""A scatter plot for browsers: one ES module that the report page and notebooks share."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["scatter_module"]


def scatter_module() -> str:
    """Source of the ES module that exports ``createScatter(element, {x, y}, options)``."""
    return files(__name__).joinpath("scatter.js").read_text(encoding="utf-8")
