"""A folder of class folders, or of train/val/test folders of them: images of any common kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets._folder_reader import (
    FolderReader,
    bands_of,
    common_layout,
    grid_of,
)
from featbank.datasets.dataset import Dataset, DatasetRequest, DatasetSpec
from featbank.datasets.decode import SUFFIXES
from featbank.datasets.geotiff import read_lonlat
from featbank.datasets.side_files import with_side_files
from featbank.errors import DatasetError, MissingPathError
from featbank.samples import TEST, TRAIN, UNKNOWN_LABEL, UNLABELLED, VAL, LabelSet, Samples

if TYPE_CHECKING:
    from collections.abc import Iterator

LABELS = "class"
_SPLIT_FOLDERS = {"train": TRAIN, "val": VAL, "valid": VAL, "validation": VAL, "test": TEST}


@dataclass(frozen=True)
class ImageFile:
    """One image of the folder: its place, class ('' for none) and split."""

    path: str
    size_bytes: int
    label: str
    split: int | None

    @property
    def sample_id(self) -> str:
        """Path inside the folder, without the suffix."""
        return str(Path(self.path).with_suffix("").as_posix())


def open_folder(request: DatasetRequest) -> Dataset:
    """Open a folder of images.

    Args:
        request: Names the folder as ``root``. Where labels are not needed, a folder without class
            folders gives all its images, at any depth, without labels.

    Raises:
        MissingPathError: The folder is not there.
        DatasetError: No class folders, an empty class folder, stray images, or repeated ids.
        DecodeError: None of the first images decodes.
    """
    root = _existing(request.root)
    found = _images(root) if request.needs_labels or _has_classes(root) else _any_images(root)
    files = sorted(found, key=lambda file: file.path)
    paths = [file.path for file in files]
    common = common_layout(root, paths)
    return Dataset(
        name=root.resolve().name,
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
    )


def _has_classes(root: Path) -> bool:
    """Whether a folder looks like class folders: folders inside, and no image beside them."""
    children = list(root.iterdir())
    is_flat = any(c.is_file() and c.suffix.lower() in SUFFIXES for c in children)
    return bool(_folders(root)) and not is_flat


def _any_images(root: Path) -> Iterator[ImageFile]:
    """Images of a folder at any depth, without labels.

    Raises:
        DatasetError: There is none.
    """
    found = [p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
    found = [p for p in found if not any(n.startswith(".") for n in p.relative_to(root).parts)]
    if not found:
        raise DatasetError(
            str(root),
            "this folder holds no image",
            f"files ending in {', '.join(sorted(SUFFIXES))}",
            "Check the path.",
        )
    for path in found:
        yield ImageFile(path.relative_to(root).as_posix(), path.stat().st_size, "", UNLABELLED)


def _existing(root: Path | None) -> Path:
    if root is None or not root.is_dir():
        raise MissingPathError(
            str(root), "there is no such folder", "a folder of class folders", "Check the path."
        )
    return root


def _images(root: Path) -> Iterator[ImageFile]:
    children = _folders(root)
    splits = {c.name: _SPLIT_FOLDERS[c.name.lower()] for c in children if _is_split(c)}
    if "train" in {name.lower() for name in splits} and len(splits) == len(children):
        for child in children:
            yield from _class_folders(root, child, splits[child.name])
    else:
        yield from _class_folders(root, root, None)


def _is_split(folder: Path) -> bool:
    return folder.name.lower() in _SPLIT_FOLDERS


def _folders(parent: Path) -> list[Path]:
    return sorted(c for c in parent.iterdir() if c.is_dir() and not c.name.startswith("."))


def _class_folders(root: Path, parent: Path, split: int | None) -> Iterator[ImageFile]:
    stray = [c.name for c in parent.iterdir() if c.is_file() and c.suffix.lower() in SUFFIXES]
    if stray:
        raise DatasetError(
            str(parent),
            f"holds {len(stray)} images beside its class folders ('{min(stray)}' is one)",
            "one folder for each class, images inside",
            "Move each image into the folder of its class.",
        )
    folders = _folders(parent)
    if not folders:
        raise DatasetError(
            str(parent),
            "holds no class folders",
            "one folder for each class, or train/val/test folders of them",
            "Check the path.",
        )
    for folder in folders:
        yield from _class_images(root, folder, split)


def _class_images(root: Path, folder: Path, split: int | None) -> Iterator[ImageFile]:
    found = [p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file()]
    if not found:
        raise DatasetError(
            str(folder),
            "this class folder holds no image",
            f"files ending in {', '.join(sorted(SUFFIXES))}",
            "Fill the folder or remove it.",
        )
    for path in found:
        inside = path.relative_to(root).as_posix()
        yield ImageFile(inside, path.stat().st_size, folder.name, split)


def _samples(files: list[ImageFile], root: Path) -> Samples:
    classes = tuple(sorted({file.label for file in files if file.label}))
    codes = {name: code for code, name in enumerate(classes)}
    labels = np.array([codes.get(f.label, UNKNOWN_LABEL) for f in files], dtype=np.int32)
    splits = [file.split for file in files if file.split is not None]
    return Samples(
        ids=np.array([file.sample_id for file in files], dtype=object),
        origins=np.array([f"{file.path}\t{file.size_bytes}" for file in files], dtype=object),
        labels={LABELS: LabelSet(classes=classes, codes=labels)} if classes else {},
        splits={"official": np.array(splits, dtype=np.int8)} if splits else {},
        lonlat=read_lonlat(root, [file.path for file in files]),
    )


SPECS = (
    DatasetSpec(
        name="folder",
        title="any folder of class folders, or train/val/test folders of them (--dataset PATH)",
        bands=(),
        size="any",
        processing="as stored in the files",
        licence="the imagery's own",
        citation="",
        open=open_folder,
    ),
)
