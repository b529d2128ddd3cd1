"""One map of features, coloured by class, split, any column, or what a probe got right."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import UsageError
from featbank.pages.figures.drawing.map_colours import NOTHING, MapColouring, colouring
from featbank.pages.figures.drawing.style import FAINT, GREY, new_figure
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.stages.map.faithfulness import belief

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

    from featbank.bank.maps import FeatureMap
    from featbank.bank.results import Predictions
    from featbank.image import Array
    from featbank.lookup.subject import Subject
    from featbank.store.reader import Store

# More marks than this are drawn as pixels in SVG and PDF too, which stay small and quick to open.
_RASTER = 5_000
# Inches of the map's side, of a legend's column and line; its font, characters of a line, entries
# of a column.
_SIDE, _LEGEND_WIDTH, _LINE = 6.4, 2.7, 0.155
_FONT, _WRAP, _ROWS = 7.5, 36, 30


def feature_map(
    found: FeatureMap,
    store: Store,
    *,
    by: str | None = None,
    label_set: str | None = None,
    predictions: Predictions | None = None,
) -> Figure:
    """Samples where a map places them, each group in its own colour and marker.

    Args:
        found: The map.
        store: The store that it shows.
        by: ``class``; ``labels``, how many a sample bears; ``split``, ``split_<scheme>`` or any
            other column of the store; ``error``, right or wrong in ``predictions``; or the name of
            a class, against all others. None takes ``class``, of several labels a sample
            ``labels``, and of a store without labels ``split``.
        label_set: Nomenclature; None takes the store's default.
        predictions: What a probe said; needed for ``error``.

    Raises:
        UnknownNameError: No such column or class.
        UsageError: ``error`` without predictions.
    """
    groups = colouring(found, store, by=by, label_set=label_set, predictions=predictions)
    shown = [name for name, count in zip(groups.names, groups.counts, strict=True) if count]
    columns = -(-max(1, len(shown)) // _ROWS)
    height = max(_SIDE * shape_of(found.xy) + 1.0, _height(shown, columns))
    figure = new_figure(_SIDE + columns * _LEGEND_WIDTH, height)
    axes = figure.add_subplot()
    handles = draw_groups(axes, found.xy, groups)
    axes.set_title(_title(found, store), loc="left", fontsize=10)
    axes.set_xlabel(fill(belief(found.quality), 112), loc="left", fontsize=7.5, color=GREY)
    figure.legend(
        handles=handles,
        loc="outside right upper",
        ncols=columns,
        fontsize=_FONT,
        title_fontsize=_FONT,
        frameon=False,
        title=groups.title,
        alignment="left",
        markerscale=max(1.0, (25 / mark_size(len(found))) ** 0.5),
    )
    return figure


def draw_groups(axes: Axes, xy: Array, groups: MapColouring) -> list[PathCollection]:
    """Each group as one collection, the largest first so that it hides none.

    Args:
        axes: Where to.
        xy: (n, 2) coordinates.
        groups: What the samples are told apart by.

    Returns:
        The collections in the order of the groups, samples of no group last.
    """
    size = mark_size(len(xy))
    drawn: dict[int, PathCollection] = {}
    for code in (NOTHING, *np.argsort(-groups.counts, kind="stable").tolist()):
        members = xy[groups.codes == code]
        if len(members):
            mark = groups.marks[code] if code != NOTHING else (FAINT, "o")
            name = groups.names[code] if code != NOTHING else groups.rest
            label = f"{fill(name, _WRAP)} ({len(members):,})"
            drawn[code] = _scatter(axes, members, size=size, mark=mark, label=label)
    bare(axes)
    return [drawn[code] for code in sorted(drawn, key=lambda code: (code == NOTHING, code))]


def _scatter(
    axes: Axes, xy: Array, *, size: float, mark: tuple[str, str], label: str
) -> PathCollection:
    colour, marker = mark
    return axes.scatter(
        xy[:, 0],
        xy[:, 1],
        s=size,
        c=colour,
        marker=marker,
        linewidths=0,
        alpha=0.8,
        label=label,
        rasterized=len(xy) > _RASTER,
    )


def bare(axes: Axes) -> None:
    """Equal scales and no ticks: coordinates of a map have no unit."""
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])


def shape_of(xy: Array) -> float:
    """Height over width of a map, kept where panels can be read."""
    width, height = np.ptp(xy, axis=0).astype(float)
    return float(np.clip(height / width, 0.6, 1.4)) if width > 0 else 1.0


def mark_size(samples: int) -> float:
    """Area of a mark in square points: smaller the more there are."""
    return float(np.clip(36_000 / max(samples, 1), 1.5, 30))


def _height(shown: list[str], columns: int) -> float:
    """Inches that hold the longest column of the legend."""
    rows = -(-len(shown) // columns)
    lines = [
        sum(len(fill(n, _WRAP).splitlines()) for n in shown[i * rows :][:rows])
        for i in range(columns)
    ]
    return 0.6 + _LINE * (max(lines) + 2)


def _title(found: FeatureMap, store: Store) -> str:
    told = store.attributes
    name = {"umap": "UMAP", "pca": "PCA"}.get(found.recipe["projection"], "Map")
    return f"{name} of {told['dataset']} by {told['model']} ({len(found):,} chips)"


def missing(subject: Subject) -> str:
    """What a subject lacks for a map."""
    return "" if subject.feature_map is not None else "a map: run 'featbank map' first"


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    found = subject.feature_map
    if found is None:
        raise UsageError("feature-map", "the bank holds no map of the store", "one", _REMEDY)
    predictions = None
    if options.by == "error":
        kept = (subject.predictions(row.result) for row in subject.headlines)
        predictions = next((each for each in kept if each is not None), None)
    return feature_map(
        found, subject.store, by=options.by, label_set=subject.label_set, predictions=predictions
    )


_REMEDY = "Run 'featbank map' first."
SPECS = (
    FigureSpec(
        name="feature-map",
        title="Map of features",
        summary="each chip where its features lie, by class, split, a column or right and wrong",
        missing=missing,
        draw=_draw,
    ),
)
