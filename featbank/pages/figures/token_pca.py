"""``token-pca``: patch tokens in the colours of their principal components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.lookup.example_samples import query_ids
from featbank.lookup.tokens import has_tokens, principal_colours, tokens_of
from featbank.pages.figures.drawing.sheet import ID_LETTERS, Row, Tile, draw_sheet
from featbank.pages.figures.examples import TILE_PX
from featbank.pages.figures.figure import FigureOptions, FigureSpec
from featbank.pictures.words import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.lookup.subject import Subject
    from featbank.pages.figures.drawing.style import DrawnFigure
    from featbank.pictures.chip_pictures import ChipPictures
    from featbank.store.reader import Store

NEEDS_TOKENS = "a store with patch tokens: run 'featbank embed' with --tokens"
_ACROSS = 6


def token_pca(
    store: Store,
    ids: Sequence[str] = (),
    *,
    pictures: ChipPictures | None = None,
    layer: int | None = None,
    seed: int = 0,
) -> DrawnFigure:
    """A sheet of chips and, below each, its tokens: one PCA over all that is shown.

    Tokens are normed first, as pooled features are; equal colours mean similar tokens, in every
    chip of the sheet.

    Args:
        store: A store with tokens.
        ids: Samples; () draws one of each of some classes.
        pictures: Draws the chips; None leaves them out.
        layer: Block index; None takes the last one stored.
        seed: Of the draw.

    Raises:
        StoreError: The store has no tokens, or a sample was refused.
        UnknownNameError: A sample or layer that the store does not hold.
    """
    ids = list(ids) or query_ids(store, seed=seed)
    colours, shares = principal_colours(tokens_of(store, ids, layer=layer))
    rows = []
    for start in range(0, len(ids), _ACROSS):
        some = ids[start : start + _ACROSS]
        names: list[tuple[str, ...]] = [(shortened(str(sample), ID_LETTERS),) for sample in some]
        if pictures is not None:
            chips = pictures.thumbnails(some, TILE_PX)
            pairs = zip(chips, names, strict=True)
            rows.append(Row(tiles=tuple(Tile(picture=chip, lines=name) for chip, name in pairs)))
        drawn = colours[start : start + _ACROSS]
        lines: list[tuple[str, ...]] = [()] * len(some) if pictures is not None else [*names]
        pairs = zip(drawn, lines, strict=True)
        rows.append(Row(tiles=tuple(Tile(picture=tile, lines=line) for tile, line in pairs)))
    attributes = store.attributes
    block = store.layers[store.layer_position(layer)]
    title = f"{attributes['dataset']}: principal components of {attributes['model']}'s patch tokens"
    told = ", ".join(f"{100 * share:.0f} %" for share in shares)
    note = f"Block {block}; red, green and blue hold {told} of the variance of all tokens shown."
    return draw_sheet(rows, title, notes=note)


def _missing(subject: Subject) -> str:
    return "" if has_tokens(subject.store) else NEEDS_TOKENS


def _draw(subject: Subject, options: FigureOptions) -> DrawnFigure:
    return token_pca(subject.store, options.ids, pictures=subject.pictures, seed=options.seed)


SPECS = (
    FigureSpec(
        name="token-pca",
        title="Principal components of patch tokens",
        summary="patch tokens in the colours of their first three principal components",
        missing=_missing,
        draw=_draw,
    ),
)
