"""Reading the images of a folder, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.bands import RGB, Band, Unit
from featbank.datasets.decode import FileLayout, decode, examine, layout_of, read_whole
from featbank.datasets.decoding.meaning import NOTHING
from featbank.datasets.side_files import read_beside, side_files
from featbank.errors import DecodeError
from featbank.image import Grid, Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from featbank.datasets.decoding.meaning import Decoded

GRID = "image"
# How many unreadable files may stand before the first readable one, which tells bands and dtype;
# and how many tell whether a folder that starts with a grey image is one of colours.
_TRIES = 16
_FIRST, _COLOURED = "the first image of the folder", "the first image in colour"


@dataclass(frozen=True)
class FolderReader:
    """Reads one image file by its row.

    Args:
        root: The folder.
        paths: (N,) paths inside it.
        layout: What the files have in common.
        sided: Paths with files beside them that tell of their pixels.
    """

    root: str
    paths: NDArray[np.str_]
    layout: FileLayout
    sided: frozenset[str] = frozenset()

    def read(self, index: int) -> Image:
        """Pixels of one file, (C, H, W)."""
        path = str(self.paths[index])
        whole = f"{self.root}/{path}"
        data = read_whole(whole, path)
        beside = read_beside(whole, path) if path in self.sided else NOTHING
        return {GRID: decode(data, name=path, layout=self.layout, beside=beside)}

    def files(self, index: int) -> tuple[str, ...]:
        """The image file, then what stands beside it and tells of its pixels."""
        path = str(self.paths[index])
        whole = f"{self.root}/{path}"
        beside = side_files(Path(whole)) if path in self.sided else ()
        return (whole, *map(str, beside))


@dataclass(frozen=True, kw_only=True)
class FolderLayout:
    """What the files of a folder have in common, and what is done to them.

    Attributes:
        layout: Bands and dtype.
        processing: Processing level in words.
        notes: What a user must know of it.
    """

    layout: FileLayout
    processing: str
    notes: tuple[str, ...] = ()


def common_layout(root: Path, paths: Sequence[str]) -> FolderLayout:
    """What the first readable file says of all; later ones that differ are refused by name.

    Args:
        root: The folder.
        paths: Images inside it, at least one.

    Raises:
        DecodeError: None of the first images decodes.
    """
    first = _first_readable(root, paths[:_TRIES])
    layout = layout_of(first)
    is_grey = layout.bands == 1 and not layout.is_colour
    told = _coloured(root, paths, layout) if is_grey else None
    layout = replace(told or layout, told_by=_COLOURED if told else _FIRST)
    return FolderLayout(layout=layout, processing=_processing(first), notes=_opacity_note(first))


def bands_of(layout: FileLayout) -> tuple[Band, ...]:
    """Bands of a folder, named by their order: the files do not say what they are."""
    if layout.bands == 3 and layout.dtype == "uint8":
        return RGB
    unit: Unit = "uint8" if layout.dtype == "uint8" else "unknown"
    return tuple(Band(name=f"b{i}", unit=unit) for i in range(1, layout.bands + 1))


def grid_of(layout: FileLayout) -> Grid:
    """The one grid of a folder."""
    bands = tuple(band.name for band in bands_of(layout))
    return Grid(name=GRID, bands=bands, dtype=layout.dtype)


def _first_readable(root: Path, paths: Sequence[str]) -> Decoded:
    for path in paths[:-1]:
        try:
            return examine(root / path)
        except DecodeError:
            continue
    return examine(root / paths[-1])


def _coloured(root: Path, paths: Sequence[str], grey: FileLayout) -> FileLayout | None:
    """Layout of the colour images among files spread over the folder; None where all are grey."""
    for path in paths[:: -(-len(paths) // _TRIES)]:
        try:
            layout = layout_of(examine(root / path))
        except DecodeError:
            continue
        if layout.is_colour and layout.dtype == grey.dtype:
            return layout
    return None


def _opacity_note(decoded: Decoded) -> tuple[str, ...]:
    if decoded.opacity_is_band:
        count = len(decoded.pixels)
        note = (
            f"band b{count} is called opacity by the files, but is neither none nor full in most "
            "pixels: it is read as a band"
        )
        return (note,)
    return ("opacity in the files is read as a mask, not as a band",) if decoded.has_opacity else ()


def _processing(decoded: Decoded) -> str:
    done = ["as stored in the files"]
    if decoded.scales:
        done.append("scale and offset tags applied")
    if decoded.has_opacity:
        done.append("opacity read as a mask")
    if decoded.opacity_is_band:
        done.append("what the files call opacity read as a band")
    return ", ".join(done)
