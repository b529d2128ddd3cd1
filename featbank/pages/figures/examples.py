"""``examples``: a few chips of each class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from featbank.errors import StoreError
from featbank.lookup.example_samples import example_rows
from featbank.pages.figures.drawing.needs import no_pictures
from featbank.pages.figures.drawing.sheet import ID_LETTERS, Row, Tile, draw_sheet
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pictures.words import shortened

if TYPE_CHECKING:
    from featbank.lookup.subject import Subject
    from featbank.pages.figures.drawing.style import DrawnFigure
    from featbank.pictures.chip_pictures import ChipPictures
    from featbank.store.reader import Store

# Side of the pictures; a tile is 1.25 inches, drawn at 150 dots an inch.
TILE_PX = 188
# Height of a row by the width of a tile: so many columns of rows make a sheet nearly square.
_ROW_SHARE = 1.25


def example_chips(
    store: Store, pictures: ChipPictures, *, n: int = 4, seed: int = 0, label_set: str | None = None
) -> DrawnFigure:
    """A sheet of n chips of each class, drawn at random; rarer classes have fewer.

    Args:
        store: A labelled store.
        pictures: Draws its chips.
        n: Chips of each class.
        seed: Of the draw.
        label_set: Nomenclature; None takes the store's default.

    Raises:
        StoreError: The store has no labels, or no labelled chip.
    """
    chosen = example_rows(store, n=n, seed=seed, label_set=label_set)
    rows = []
    for name, picked in chosen.items():
        ids = [str(store.ids[row]) for row in picked]
        tiles = zip(pictures.thumbnails(ids, TILE_PX), ids, strict=True)
        told = tuple(Tile(picture=p, lines=(shortened(i, ID_LETTERS),)) for p, i in tiles)
        rows.append(Row(tiles=told, heading=name))
    if not rows:
        raise StoreError(
            str(store.path),
            "it holds no labelled chip",
            "one at least",
            "Embed a labelled dataset.",
        )
    across = max(len(row.tiles) for row in rows)
    columns = max(1, round(math.sqrt(_ROW_SHARE * len(rows) / across)))
    title = f"{store.attributes['dataset']}: examples of {len(rows)} classes"
    return draw_sheet(rows, title, columns=columns, notes=pictures.shown.words)


def _missing(subject: Subject) -> str:
    if not subject.store.label_sets:
        return "labels"
    return no_pictures(subject)


def _draw(subject: Subject, options: FigureOptions) -> DrawnFigure:
    if subject.pictures is None:
        raise AssertionError("pictures are asked for before anything is drawn")
    return example_chips(
        subject.store,
        subject.pictures,
        n=min(options.k, 4),
        seed=options.seed,
        label_set=subject.label_set,
    )


SPECS = (
    FigureSpec(
        name="examples",
        title="Examples of each class",
        summary="a few chips of each class, as a person expects to see them",
        missing=_missing,
        draw=_draw,
    ),
)
