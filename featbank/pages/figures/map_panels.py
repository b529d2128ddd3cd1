"""One-against-rest maps: a panel for each class, in colour on all others in grey."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import UsageError
from featbank.pages.figures.drawing.map_colours import borne
from featbank.pages.figures.drawing.style import COLOURS, FAINT, GREY, new_figure
from featbank.pages.figures.feature_map import bare, mark_size, shape_of
from featbank.pages.figures.feature_map import missing as missing_map
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pages.table_style import number
from featbank.stages.map.faithfulness import belief
from featbank.stages.map.purity import purity, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from featbank.bank.maps import FeatureMap
    from featbank.image import Array
    from featbank.lookup.subject import Subject
    from featbank.stages.map.purity import Purity
    from featbank.store.reader import Store

# Inches of a panel, and of a line of its title; characters of a line and points of its font.
_PANEL, _LINE, _WRAP, _FONT = 2.0, 0.14, 30, 7.0
_MOST_COLUMNS = 7


def map_panels(found: FeatureMap, store: Store, *, label_set: str | None = None) -> Figure:
    """Each class that is borne on a map of its own, with its chips and neighbour purity.

    Args:
        found: The map.
        store: The store that it shows.
        label_set: Nomenclature; None takes the store's default.

    Raises:
        StoreError: The store holds no labels.
        UsageError: No chip of the map bears a class.
    """
    pure = purity(found, store, label_set)
    labels = store.labels(pure.label_set)[rows_of(found, store)]
    shown = [position for position, chips in enumerate(pure.chips) if chips]
    if not shown:
        raise UsageError(
            pure.label_set, "no chip of the map bears a class", "labelled chips", "Map others."
        )
    titles = {position: _title(pure, position) for position in shown}
    columns = _columns(len(shown))
    rows = -(-len(shown) // columns)
    lines = max(title.count("\n") + 1 for title in titles.values())
    height = _PANEL * shape_of(found.xy) + lines * _LINE
    figure = new_figure(columns * _PANEL, rows * height + 0.7)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, position in zip(panels, shown, strict=False):
        _panel(axes, found.xy, borne(labels, position))
        axes.set_title(titles[position], fontsize=_FONT, loc="left", pad=3)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    figure.suptitle(_heading(found, store, pure), fontsize=9, x=0.01, ha="left")
    width = int(columns * _PANEL * 17)
    figure.supxlabel(fill(_note(found, pure), width), fontsize=_FONT, color=GREY, x=0.01, ha="left")
    return figure


def _columns(panels: int) -> int:
    """Columns that make the figure about square or wider, with the fewest empty places."""
    square = max(2, round(np.sqrt(panels * 1.15)))
    wider = [columns for columns in range(square, square + 3) if columns <= _MOST_COLUMNS]
    return min(wider or [_MOST_COLUMNS], key=lambda columns: -panels % columns)


def _panel(axes: Axes, xy: Array, bears: NDArray[np.bool_]) -> None:
    # The area of a panel is a tenth of that of a whole map.
    size = max(0.4, mark_size(len(xy)) / 6)
    for part, colour in ((xy[~bears], FAINT), (xy[bears], COLOURS[0])):
        axes.scatter(
            part[:, 0], part[:, 1], s=size, c=colour, marker="o", linewidths=0, rasterized=True
        )
    bare(axes)
    for spine in axes.spines.values():
        spine.set_color(FAINT)


def _title(pure: Purity, position: int) -> str:
    """Name and chips, then purity on the map, in the features and by chance."""
    name = fill(f"{pure.classes[position]} ({pure.chips[position]:,})", _WRAP)
    shares = (pure.on_map[position], pure.in_features[position], pure.chance[position])
    told = " / ".join("-" if share is None else number(share) for share in shares)
    return f"{name}\n{told}"


def _heading(found: FeatureMap, store: Store, pure: Purity) -> str:
    told = store.attributes
    return (
        f"{told['dataset']} by {told['model']}, {pure.label_set}: one class a panel, "
        f"{len(found):,} chips"
    )


def _note(found: FeatureMap, pure: Purity) -> str:
    absent = sum(1 for chips in pure.chips if not chips)
    left = f" Classes without a chip: {absent}." if absent else ""
    return (
        f"Below each name: share of the {pure.k} nearest chips that bear the class too, on the map "
        f"/ in the features / by chance.{left} {belief(found.quality)}"
    )


def missing(subject: Subject) -> str:
    """What a subject lacks for panels."""
    return missing_map(subject) or ("" if subject.store.label_sets else "labels")


def _draw(subject: Subject, options: FigureOptions) -> Figure:
    found = subject.feature_map
    if found is None:
        raise UsageError(
            "map-panels", "the bank holds no map of the store", "one", "Run 'featbank map' first."
        )
    return map_panels(found, subject.store, label_set=subject.label_set)


SPECS = (
    FigureSpec(
        name="map-panels",
        title="Each class on the map",
        summary="a panel for each class, in colour on all others, with its neighbour purity",
        missing=missing,
        draw=_draw,
    ),
)
