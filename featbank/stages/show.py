"""Opening a store with pictures of its chips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from featbank.store.reader import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image as Picture

_SIDE_PX = 160
_COLUMNS = 8
_LABEL_PX = 14


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
    """A sheet of chips, eight in a row, each with the end of its id.

    Raises:
        StoreError: The bank does not know where the images are, or a chip is refused.
    """
    from PIL import Image, ImageDraw

    from featbank.stages.chip_pictures import ChipPictures

    tiles = [Image.fromarray(chip) for chip in ChipPictures(store).rgb(ids)]
    columns = min(_COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * _SIDE_PX, rows * (_SIDE_PX + _LABEL_PX)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (name, tile) in enumerate(zip(ids, tiles, strict=True)):
        x, y = number % columns * _SIDE_PX, number // columns * (_SIDE_PX + _LABEL_PX)
        sheet.paste(tile.resize((_SIDE_PX - 4, _SIDE_PX - 4), Image.Resampling.NEAREST), (x, y))
        draw.text((x, y + _SIDE_PX - 3), name[-26:], fill="black")
    return sheet
