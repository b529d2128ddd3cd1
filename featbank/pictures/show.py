"""Opening a store with pictures of its chips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from featbank.errors import UsageError
from featbank.pictures.words import shortened
from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image as Picture
    from PIL.ImageFont import FreeTypeFont, ImageFont

_TILE_PX = 156
_GAP_PX = 6
_COLUMNS = 8
_FONT_PX = 12
_LINE_PX = 15


def open_store(path: str | Path) -> Store:
    """Open a finished store, with pictures of its chips where the images are still there.

    Args:
        path: The store's path.

    Raises:
        MissingPathError: There is no store at this path.
        UnfinishedStoreError: Its embedding has not finished.
    """
    return Store(Path(path), show=chip_sheet)


def chip_sheet(store: Store, ids: Sequence[str]) -> Picture:
    """A sheet of chips, eight in a row, each with its labels and its id below.

    Raises:
        UsageError: No id is named.
        StoreError: The bank does not know where the images are, or a chip does not read.
    """
    from PIL import Image, ImageDraw, ImageFont

    from featbank.pictures.chip_pictures import ChipPictures

    if not len(ids):
        raise UsageError("ids", "none is named", "at least one sample id", "Take some of its ids.")
    chips = ChipPictures(store).rgb(ids)
    font = ImageFont.load_default(_FONT_PX)
    captions = [[label_words(store, name), name] if store.label_sets else [name] for name in ids]
    step_x, step_y = _TILE_PX + _GAP_PX, _TILE_PX + _GAP_PX + _LINE_PX * len(captions[0])
    columns = min(_COLUMNS, len(ids))
    size = (columns * step_x + _GAP_PX, -(-len(ids) // columns) * step_y + _GAP_PX)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for number, (chip, lines) in enumerate(zip(chips, captions, strict=True)):
        x = number % columns * step_x + _GAP_PX
        y = number // columns * step_y + _GAP_PX
        tile = _fitted(Image.fromarray(chip))
        sheet.paste(tile, (x + (_TILE_PX - tile.width) // 2, y + (_TILE_PX - tile.height) // 2))
        for line, text in enumerate(lines):
            at = (x, y + _TILE_PX + line * _LINE_PX)
            draw.text(at, _cut(text, font), fill="black", font=font)
    return sheet


def label_words(store: Store, sample: str) -> str:
    """The labels of a sample by the store's default label set, joined by commas; '' unknown."""
    row = int((store.ids == sample).argmax())
    labels, classes = store.labels()[row], store.classes()
    if labels.ndim == 0:
        return classes[labels] if labels >= 0 else ""
    return ", ".join(name for name, code in zip(classes, labels, strict=True) if code == 1)


def _fitted(chip: Picture) -> Picture:
    """The whole chip inside a tile: averaged over areas, or enlarged in whole pixels."""
    from PIL import Image

    share = _TILE_PX / max(chip.size)
    width, height = (max(1, round(side * share)) for side in chip.size)
    return chip.resize((width, height), Image.Resampling.BOX)


def _cut(text: str, font: FreeTypeFont | ImageFont) -> str:
    limit = len(text)
    while limit > 3 and font.getlength(shortened(text, limit)) > _TILE_PX:
        limit -= 1
    return shortened(text, limit)
