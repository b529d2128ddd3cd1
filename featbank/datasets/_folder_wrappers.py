"""Folders that only wrap others: an archive's own folder, 'images' around the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.datasets._folder_names import is_image_container, split_name
from featbank.file_names import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.datasets._folder_listing import Folder


def inside_wrappers(folder: Folder, own: int | None = None) -> Folder:
    """The folder with more than one folder of images, below those that hold only one.

    Args:
        folder: Where to start.
        own: Its split, which a wrapper may name once more: train/train.
    """
    while not folder.files and len(folder.bearing) == 1:
        (inner,) = folder.bearing
        name = split_name(inner.name)
        is_split = name is not None and name.is_strong and name.split != own
        wraps = bool(inner.bearing) and not inner.files
        is_loose = is_image_container(inner.name) and not inner.bearing
        if is_split or not (wraps or is_loose):
            break
        folder = inner
    return folder


def inside_splits(splits: dict[Folder, int]) -> dict[Folder, Folder]:
    """What each split's folder wraps, itself where it wraps nothing."""
    inner = {folder: inside_wrappers(folder, split) for folder, split in splits.items()}
    if all(inner[folder] is not folder for folder in splits if folder.bearing):
        return inner
    # One class may be alone in a split: there only a name that is no class is a wrapper.
    return {folder: inner[folder] if _holds_container(folder) else folder for folder in splits}


def _holds_container(folder: Folder) -> bool:
    return len(folder.bearing) == 1 and is_image_container(folder.bearing[0].name)


def beside(tree: Folder, top: Folder) -> Iterator[Folder]:
    """Folders without images on the way from the whole tree to what its wrappers hold."""
    folder = tree
    while folder is not top:
        yield from (inner for inner in folder.folders if not inner.count)
        (folder,) = folder.bearing


def told_wrapper(folder: Folder, inner: Folder) -> list[str]:
    """From where a folder is read, if not from itself."""
    if inner is folder:
        return []
    what = "folders" if inner.bearing else "images"
    return [f"the {what} of {printable(inner.path)}/ are read"]
