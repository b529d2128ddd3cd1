"""``retrieval``: query chips and the chips whose features are most similar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.lookup.example_samples import query_ids
from featbank.lookup.neighbours import neighbours_of
from featbank.pages.figures.drawing.needs import no_pictures
from featbank.pages.figures.drawing.sheet import ID_LETTERS, Row, Tile, draw_sheet
from featbank.pages.figures.examples import TILE_PX
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pictures.words import cut, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.image import Array
    from featbank.lookup.subject import Subject
    from featbank.pages.figures.drawing.style import DrawnFigure
    from featbank.pictures.chip_pictures import ChipPictures
    from featbank.store.reader import Store

_SHOWN_LABELS = 3
# Two lines below a tile, where several names stand there.
NAME_LETTERS = 34


def retrieval_sheet(
    store: Store,
    pictures: ChipPictures,
    ids: Sequence[str] = (),
    *,
    k: int = 6,
    seed: int = 0,
    label_set: str | None = None,
) -> DrawnFigure:
    """A sheet of queries, each with its k nearest neighbours, their similarity and labels.

    A neighbour of the query's class, or that shares a label with it, has a whole blue frame and a
    tick; any other a dashed orange frame and a cross. Without labels there are no frames.

    Args:
        store: The store.
        pictures: Draws its chips.
        ids: Queries; () draws one of each of some classes.
        k: Neighbours of each.
        seed: Of the draw.
        label_set: Nomenclature; None takes the store's default.

    Raises:
        UnknownNameError: An id that the store does not hold.
        StoreError: A query was refused, or there is no second sample.
    """
    found = neighbours_of(store, ids or query_ids(store, seed=seed, label_set=label_set), k)
    row_of = {str(sample): row for row, sample in enumerate(store.ids)}
    labels = store.labels(label_set) if store.label_sets else None
    classes = store.classes(label_set) if store.label_sets else ()
    rows = []
    for query, near, values in zip(found.queries, found.ids, found.similarity, strict=True):
        names = [str(query), *map(str, near)]
        chips = pictures.thumbnails(names, TILE_PX)
        tiles = []
        for place, (name, chip) in enumerate(zip(names, chips, strict=True)):
            told = () if labels is None else (label_text(labels[row_of[name]], classes),)
            is_query = place == 0
            value = shortened(name, ID_LETTERS) if is_query else f"cosine {values[place - 1]:.3f}"
            frame = "" if is_query else _frame(labels, row_of[str(query)], row_of[name])
            tiles.append(Tile(picture=chip, lines=(*told, value), frame=frame))
        rows.append(Row(tiles=tuple(tiles)))
    attributes = store.attributes
    title = f"{attributes['dataset']}: nearest neighbours by {attributes['model']}"
    note = "Query at the left. ✓ and a whole frame: shares a label with it; ✗ and dashes: none."
    return draw_sheet(rows, title, notes=f"{note} {pictures.shown.words}.")


def label_text(label: Array, classes: Sequence[str]) -> str:
    """The class of a sample, or its labels; long lists are cut."""
    if np.ndim(label) == 0:
        return classes[int(label)] if label >= 0 else "unknown"
    names = [name for name, code in zip(classes, label, strict=True) if code == 1]
    more = f" and {len(names) - _SHOWN_LABELS} more" if len(names) > _SHOWN_LABELS else ""
    return "; ".join(cut(name, NAME_LETTERS) for name in names[:_SHOWN_LABELS]) + more or "no label"


def _frame(labels: Array | None, query: int, other: int) -> str:
    if labels is None or (labels[[query, other]] < 0).any():
        return ""
    if labels.ndim == 1:
        is_shared = labels[query] == labels[other]
    else:
        is_shared = ((labels[query] == 1) & (labels[other] == 1)).any()
    return "right" if is_shared else "wrong"


def _missing(subject: Subject) -> str:
    if int(subject.store.valid.sum()) < 2:
        return "two embedded samples"
    return no_pictures(subject)


def _draw(subject: Subject, options: FigureOptions) -> DrawnFigure:
    if subject.pictures is None:
        raise AssertionError("pictures are asked for before anything is drawn")
    return retrieval_sheet(
        subject.store,
        subject.pictures,
        options.ids,
        k=options.k,
        seed=options.seed,
        label_set=subject.label_set,
    )


SPECS = (
    FigureSpec(
        name="retrieval",
        title="Nearest neighbours",
        summary="query chips beside the chips whose features are most similar, with their labels",
        missing=_missing,
        draw=_draw,
    ),
)
