"""A folder of class folders, of train/val/test folders of them, or of images without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._folder_listing import list_folder
from featbank.datasets._folder_meaning import WITHOUT_LABELS, ImageFile, meaning_of
from featbank.datasets._folder_reader import FolderReader, bands_of, common_layout, grid_of
from featbank.datasets.dataset import Dataset, DatasetRequest, DatasetSpec
from featbank.datasets.geotiff import place_columns
from featbank.datasets.side_files import with_side_files
from featbank.errors import MissingPathError
from featbank.file_names import as_text, folder_name
from featbank.samples import UNKNOWN_LABEL, LabelSet, Samples

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LABELS", "WITHOUT_LABELS", "open_folder"]

LABELS = "class"


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
    paths = [file.path for file in files]
    common = common_layout(root, paths)
    return Dataset(
        name=folder_name(root),
        root=root,
        bands=bands_of(common.layout),
        grids=(grid_of(common.layout),),
        samples=_samples(files, root),
        reader=FolderReader(
            str(root), np.array(paths), common.layout, with_side_files(root, paths)
        ),
        processing=common.processing,
        licence="unknown",
        citation="",
        notes=(*meaning.notes, *common.notes),
        splits_from=meaning.splits_from,
    )


def _existing(root: Path | None) -> Path:
    if root is None or not root.is_dir():
        raise MissingPathError(
            str(root), "there is no such folder", "a folder of class folders", "Check the path."
        )
    return root


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
