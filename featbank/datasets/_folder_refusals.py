"""Layouts that are refused whatever else a folder holds, each with what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from featbank.datasets._folder_names import halves, is_edition, is_part
from featbank.datasets._folder_words import place, quoted, refusal
from featbank.errors import DatasetError
from featbank.file_names import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.datasets._folder_listing import Folder


class IdentifiedFile(Protocol):
    """An image file with the id of its sample."""

    @property
    def path(self) -> str:
        """Inside the root."""

    @property
    def sample_id(self) -> str:
        """As the store will spell it."""


def is_heap(top: Folder) -> bool:
    """Whether images stand beside folders of images, or the folders are numbered parts."""
    return bool(top.files and top.bearing) or _are_parts(top)


def _are_parts(parent: Folder) -> bool:
    """Whether folders are numbered parts, or years or products with folders of classes inside."""
    inner = parent.bearing
    are_editions = all(is_edition(folder.name) and folder.bearing for folder in inner)
    return len(inner) > 1 and (all(is_part(folder.name) for folder in inner) or are_editions)


def refuse_parts(root: str, parent: Folder) -> None:
    """Raise where folders are parts of one set, or editions of it, rather than classes.

    Raises:
        DatasetError: Names them.
    """
    if _are_parts(parent):
        names = quoted([folder.name for folder in parent.bearing])
        raise refusal(
            root,
            parent,
            f"{names} look like parts or editions of one set, not like classes",
            "one folder for each class, or train/val/test folders of them",
            f"Name one of them, such as {place(root, parent.bearing[0])}, or join them.",
        )


def refuse_halves(root: str, tree: Folder) -> None:
    """Raise where images stand beside masks or other annotations of them, at any depth.

    Raises:
        DatasetError: Names both.
    """
    for folder in tree.walk():
        images, masks = halves([inner.name for inner in folder.folders])
        if images:
            raise refusal(
                root,
                folder,
                f"holds {quoted(images)} beside {quoted(masks)}",
                "class folders, or images alone: masks and annotations of images are not read",
                f"Name {place(root, folder)}/{printable(images[0])} to embed its images without "
                "labels, or sort them into one folder for each class.",
            )


def refuse_shared_ids(files: Sequence[IdentifiedFile], root: str) -> None:
    """Raise where files of one folder differ by their suffix alone.

    Raises:
        DatasetError: Names the first, and says how many there are.
    """
    by_id: dict[str, list[str]] = {}
    for file in files:
        by_id.setdefault(file.sample_id, []).append(file.path.rpartition("/")[2])
    shared = {sample: names for sample, names in by_id.items() if len(names) > 1}
    for sample, names in shared.items():
        repeat = f"; {len(shared)} ids repeat" if len(shared) > 1 else ""
        raise DatasetError(
            printable(f"{root}/{sample}"),
            f"{len(names)} samples bear this id ({quoted(names, last=' and ')}{repeat})",
            "one file for each name without its suffix",
            "Rename or remove the extra files.",
        )
