"""A folder of class folders, of train/val/test folders of them, or of images without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.bands import RGB, Band, Unit
from featbank.datasets._folder_listing import list_folder
from featbank.datasets._folder_meaning import ImageFile, meaning_of
from featbank.datasets.dataset import Dataset, DatasetRequest, DatasetSpec
from featbank.datasets.decode import Layout, decode, inspect
from featbank.datasets.geotiff import place_columns
from featbank.errors import DecodeError, MissingPathError
from featbank.file_names import as_text, folder_name
from featbank.image import Grid, Image
from featbank.samples import UNKNOWN_LABEL, LabelSet, Samples

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

GRID = "image"
LABELS = "class"
# How many unreadable files may stand before the first readable one, which tells bands and dtype.
_TRIES = 16


@dataclass(frozen=True)
class FolderReader:
    """Reads one image file by its row.

    Args:
        root: The folder.
        paths: (N,) paths inside it.
        layout: What the files have in common.
    """

    root: str
    paths: NDArray[np.str_]
    layout: Layout

    def read(self, index: int) -> Image:
        """Pixels of one file, (C, H, W)."""
        path = str(self.paths[index])
        with open(f"{self.root}/{path}", "rb") as file:
            data = file.read()
        return {GRID: decode(data, name=path, layout=self.layout)}


def open_folder(request: DatasetRequest) -> Dataset:
    """Open a folder of images.

    Args:
        request: Names the folder as ``root``. A folder without class folders gives its images
            without labels; where labels are not needed, so do images beside folders of images.

    Raises:
        MissingPathError: The folder is not there.
        DatasetError: No image, or folders that can be read in more than one way.
        DecodeError: None of the first images decodes.
        ReadError: A folder inside cannot be listed.
    """
    root = _existing(request.root)
    meaning = meaning_of(list_folder(root), str(root), needs_labels=request.needs_labels)
    files = meaning.files
    layout = _common_layout(root, files)
    paths = np.array([file.path for file in files])
    return Dataset(
        name=folder_name(root),
        root=root,
        bands=_bands(layout),
        grids=(_grid(layout),),
        samples=_samples(files, root),
        reader=FolderReader(str(root), paths, layout),
        processing="as stored in the files",
        licence="unknown",
        citation="",
        notes=meaning.notes,
        splits_from=meaning.splits_from,
    )


def _existing(root: Path | None) -> Path:
    if root is None or not root.is_dir():
        raise MissingPathError(
            str(root), "there is no such folder", "a folder of class folders", "Check the path."
        )
    return root


def _common_layout(root: Path, files: list[ImageFile]) -> Layout:
    for file in files[: _TRIES - 1]:
        try:
            return inspect(root / file.path)
        except DecodeError:
            continue
    return inspect(root / files[:_TRIES][-1].path)


def _bands(layout: Layout) -> tuple[Band, ...]:
    if layout.bands == 3 and layout.dtype == "uint8":
        return RGB
    unit: Unit = "uint8" if layout.dtype == "uint8" else "unknown"
    # The files do not say what their bands are, so only their order names them.
    return tuple(Band(name=f"b{i}", unit=unit) for i in range(1, layout.bands + 1))


def _grid(layout: Layout) -> Grid:
    return Grid(name=GRID, bands=tuple(band.name for band in _bands(layout)), dtype=layout.dtype)


def _samples(files: list[ImageFile], root: Path) -> Samples:
    classes = tuple(sorted({file.label for file in files if file.label}))
    codes = {name: code for code, name in enumerate(classes)}
    labels = np.array([codes.get(f.label, UNKNOWN_LABEL) for f in files], dtype=np.int32)
    splits = [file.split for file in files if file.split is not None]
    return Samples(
        ids=np.array([file.sample_id for file in files], dtype=object),
        origins=np.array([f"{as_text(f.path)}\t{f.size_bytes}" for f in files], dtype=object),
        labels={LABELS: LabelSet(classes=classes, codes=labels)} if classes else {},
        splits={"official": np.array(splits, dtype=np.int8)} if splits else {},
        **place_columns(root, [file.path for file in files]),
    )


SPECS = (
    DatasetSpec(
        name="folder",
        title="any folder of class folders, of train/val/test folders of them, or of images "
        "without labels (--dataset PATH)",
        bands=(),
        size="any",
        processing="as stored in the files",
        licence="the imagery's own",
        citation="",
        open=open_folder,
    ),
)
