"""Classes of a tree of folders: one for all spellings of its name, and where it is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from featbank.datasets._folder_names import class_key, difference
from featbank.datasets._folder_words import instead, is_bare, listed, quoted, refusal
from featbank.file_names import as_text, printable
from featbank.samples import SPLITS, UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.datasets._folder_listing import Folder


@dataclass
class ClassNames:
    """Names of the classes that were met.

    Attributes:
        root: The whole folder, for messages.
    """

    root: str
    _spelled: dict[str, str] = field(default_factory=dict)
    _other: list[tuple[str, str]] = field(default_factory=list)
    _met: dict[int, set[str]] = field(default_factory=dict)
    _bare: list[Folder] = field(default_factory=list)

    def name_of(self, folder: Folder, split: int | None) -> str:
        """The class that a folder means: the first spelling of its name that was met."""
        key, own = class_key(folder.name), as_text(folder.name)
        name = self._spelled.setdefault(key, own)
        if name != own:
            self._other.append((folder.path, name))
        if split not in (None, UNLABELLED):
            self._met.setdefault(split or 0, set()).add(name)
        return name

    def skip(self, folder: Folder, *, in_split: bool) -> None:
        """Meet a class folder without images; inside a split it may only be empty there.

        Raises:
            DatasetError: It is not inside a split, or holds what may have been meant as images.
        """
        if not in_split or not is_bare(folder):
            raise _empty(self.root, folder)
        self._bare.append(folder)

    def require_filled(self) -> None:
        """Raise for a class that has no image in any split.

        Raises:
            DatasetError: Names the first.
        """
        for folder in self._bare:
            if class_key(folder.name) not in self._spelled:
                raise _empty(self.root, folder)

    def notes(self) -> list[str]:
        """Spellings that were joined, and classes that a split lacks."""
        said = []
        if self._other:
            path, name = self._other[0]
            rest = f" and {len(self._other) - 1} more so" if len(self._other) > 1 else ""
            said.append(printable(f"'{path}' is taken as class '{name}'{rest}"))
        everything = sorted(set().union(*self._met.values()))
        missing = {
            split: [n for n in everything if n not in met] for split, met in self._met.items()
        }
        told = ((listed(names), SPLITS[split]) for split, names in sorted(missing.items()) if names)
        return said + [f"no sample of {names} in {split}" for names, split in told]


def require_distinct(root: str, parent: Folder, folders: Sequence[Folder]) -> None:
    """Raise where two class folders of one parent are told apart by case, spaces or form alone.

    Raises:
        DatasetError: Names the first two.
    """
    met: dict[str, Folder] = {}
    for folder in folders:
        first = met.setdefault(class_key(folder.name), folder)
        if first is not folder:
            raise refusal(
                root,
                parent,
                f"{quoted([first.name, folder.name], last=' and ')} differ only "
                f"{difference(first.name, folder.name)}",
                "one folder for each class",
                "Join them, or rename one.",
            )


def _empty(root: str, folder: Folder) -> Exception:
    return refusal(
        root,
        folder,
        f"this class folder holds no image{instead(folder)}",
        "images in every class folder",
        "Fill the folder or remove it.",
    )
