"""``attention``: where each head of a backbone looks, from CLS and from each register."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.bank.attention_maps import attention_layers, read_attention
from featbank.errors import UnknownNameError
from featbank.pages.figures.drawing.sheet import ID_LETTERS, Row, Tile, draw_sheet
from featbank.pages.figures.drawing.style import SEQUENTIAL
from featbank.pages.figures.examples import TILE_PX
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pictures.words import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from featbank.image import Array
    from featbank.lookup.subject import Subject
    from featbank.pages.figures.drawing.style import DrawnFigure
    from featbank.pictures.chip_pictures import ChipPictures

# Chips and rows of a sheet that nobody asked more of: registers have rows of their own.
_CHIPS, _ROWS = 4, 10
# Outlier tokens are about 2 % of all (Darcet et al. 2024, arXiv:2309.16588).
_BRIGHT = 95
# A sheet of DINOv2-giant's 24 heads stays below a metre.
_FEW_HEADS, _SMALL_TILE, _TILE = 6, 0.85, 1.25


def attention_sheet(
    maps: Mapping[str, Array],
    *,
    pictures: ChipPictures | None = None,
    title: str = "Attention",
) -> DrawnFigure:
    """A sheet of attention maps: a row for CLS and for each register, a column for each head.

    Each map is drawn from 0 to its own 95th percentile, so that a few outlier tokens do not hide
    the rest; its maximum stands below it.

    Args:
        maps: (heads, 1 + R, gy, gx) probabilities by sample id.
        pictures: Draws the chips; None leaves them out.
        title: Above all.
    """
    rows: list[Row] = []
    ids = list(maps)
    chips = pictures.thumbnails(ids, TILE_PX) if pictures is not None else None
    for number, sample in enumerate(ids):
        for token in range(maps[sample].shape[1]):
            name = "CLS" if token == 0 else f"register {token}"
            told = shortened(sample, ID_LETTERS) if token == 0 else ""
            chip = None if chips is None else chips[number]
            first = _first(chip if token == 0 else None, told, has_chips=chips is not None)
            heads = [_map_tile(one, f"head {h}") for h, one in enumerate(maps[sample][:, token])]
            mean = _map_tile(maps[sample][:, token].mean(axis=0), "mean of heads")
            where = f"{shortened(sample, 60)}: from {name}"
            rows.append(Row(tiles=(*first, mean, *heads), heading=where))
    heads_count = max(one.shape[0] for one in maps.values())
    note = "Share that the token takes from each patch, from 0 (dark) to the map's 95th percentile."
    tile = _TILE if heads_count <= _FEW_HEADS else _SMALL_TILE
    return draw_sheet(rows, title, notes=note, tile=tile)


def _first(chip: Array | None, told: str, *, has_chips: bool) -> tuple[Tile, ...]:
    """The chip, an empty place below it, or nothing."""
    if not has_chips:
        return ()
    empty = np.full((2, 2, 3), 255, dtype=np.uint8)
    return (Tile(picture=empty if chip is None else chip, lines=(told,) if told else ()),)


def _map_tile(values: Array, name: str) -> Tile:
    top = max(float(np.percentile(values, _BRIGHT)), 1e-12)
    lines = (name, f"max {values.max():.3f}")
    return Tile(picture=values, lines=lines, colours=SEQUENTIAL, limits=(0.0, top))


def chosen_maps(maps: Mapping[str, Array], ids: Sequence[str]) -> dict[str, Array]:
    """The maps of some samples; of none named, the first four kept, or two with registers.

    Raises:
        UnknownNameError: A sample whose attention is not kept.
    """
    missing = next((sample for sample in ids if sample not in maps), None)
    if missing is not None:
        raise UnknownNameError(
            missing,
            "its attention is not kept",
            f"one of {', '.join(list(maps)[:_CHIPS])}",
            f"Run 'featbank attend --ids {missing}'.",
        )
    if ids:
        return {sample: maps[sample] for sample in ids}
    tokens = max(one.shape[1] for one in maps.values())
    few = max(1, min(_CHIPS, _ROWS // tokens))
    return {sample: maps[sample] for sample in sorted(maps)[:few]}


def _missing(subject: Subject) -> str:
    kept = attention_layers(subject.bank, subject.store.attributes["recipe_id"])
    return "" if kept else "attention maps: run 'featbank attend'"


def _draw(subject: Subject, options: FigureOptions) -> DrawnFigure:
    attributes = subject.store.attributes
    layer = attention_layers(subject.bank, attributes["recipe_id"])[-1]
    maps = read_attention(subject.bank, attributes["recipe_id"], layer)
    return attention_sheet(
        chosen_maps(maps, options.ids),
        pictures=subject.pictures,
        title=f"{attributes['dataset']}: attention of {attributes['model']}, block {layer}",
    )


SPECS = (
    FigureSpec(
        name="attention",
        title="Attention maps",
        summary="where each head looks from CLS and from each register, for the samples attended",
        missing=_missing,
        draw=_draw,
    ),
)
