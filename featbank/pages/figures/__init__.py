"""Figures: store, results or predictions in, a matplotlib figure out. One module, one figure."""

from featbank.catalog import Catalog
from featbank.pages.figures.figure import FigureOptions, FigureSpec

FIGURES: Catalog[FigureSpec] = Catalog(__name__, kind="figure", record=FigureSpec)

__all__ = ["FIGURES", "FigureOptions", "FigureSpec"]
