"""What the folders of a tree mean: splits, classes, wrappers around them; or a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.datasets._folder_classes import ClassNames, require_distinct
from featbank.datasets._folder_refusals import (
    is_heap,
    refuse_halves,
    refuse_parts,
    refuse_shared_ids,
)
from featbank.datasets._folder_scenes import refuse_spread_scenes
from featbank.datasets._folder_splits import refuse_splits_inside, split_folders
from featbank.datasets._folder_twins import refuse_twins
from featbank.datasets._folder_words import (
    counted,
    instead,
    is_bare,
    left_out_note,
    listed,
    place,
    quoted,
    refusal,
)
from featbank.datasets._folder_wrappers import beside, inside_splits, inside_wrappers, told_wrapper
from featbank.datasets.decode import SUFFIXES
from featbank.file_names import as_text, printable
from featbank.samples import SPLITS, TEST, TRAIN, UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.datasets._folder_listing import Folder

WITHOUT_LABELS = "no class folders are here: samples have no labels"


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One image of the folder: its place, class ('' for none) and split."""

    path: str
    size_bytes: int
    label: str
    split: int | None

    @property
    def sample_id(self) -> str:
        """Path inside the folder, without the suffix, as text."""
        return as_text(self.path.rpartition(".")[0])


@dataclass(frozen=True)
class Meaning:
    """What a folder was taken for.

    Attributes:
        files: Its images, by path.
        notes: What a user must know of it, at most two lines.
        splits_from: What to do where no split to train on, or none to test on, is there.
    """

    files: list[ImageFile]
    notes: tuple[str, ...]
    splits_from: str = ""


def meaning_of(tree: Folder, root: str, *, needs_labels: bool) -> Meaning:
    """Read a listed folder as it is meant.

    Args:
        tree: What is there.
        root: Its path, for messages.
        needs_labels: Whether images beside folders of images, and numbered parts, are refused
            rather than taken without labels.

    Raises:
        DatasetError: It can be read in more than one way, or in none.
    """
    if not tree.count:
        bare = needs_labels and not tree.folders
        what = "holds no class folders and no image" if bare else "this folder holds no image"
        raise refusal(
            root,
            tree,
            f"{what}{instead(tree)}",
            f"files ending in {', '.join(sorted(SUFFIXES))}",
            "Check the path.",
        )
    refuse_halves(root, tree)
    refuse_twins(root, tree)
    refuse_spread_scenes(root, tree)
    reading = _Reading(root, tree, needs_labels)
    reading.read()
    files = sorted(reading.files, key=lambda file: file.path)
    refuse_shared_ids(files, root)
    notes = ("; ".join(reading.said), left_out_note(tree))
    return Meaning(files, tuple(note for note in notes if note), _splits_from(files))


def _splits_from(files: list[ImageFile]) -> str:
    found = {file.split for file in files} - {None, UNLABELLED}
    missing = [SPLITS[split] for split in (TRAIN, TEST) if split not in found]
    if not found or not missing:
        return ""
    return (
        f"Put a folder {' and one '.join(missing)} beside, or name the folder inside as the "
        "dataset, and splits are drawn."
    )


class _Reading:
    """One reading of a tree: its images with class and split, and what is said of them."""

    def __init__(self, root: str, tree: Folder, needs_labels: bool) -> None:
        self._root = root
        self._tree = tree
        self._needs_labels = needs_labels
        self._names = ClassNames(root)
        self._inside: list[str] = []
        self._without: dict[int, int] = {}
        self.files: list[ImageFile] = []
        self.said: list[str] = []

    def read(self) -> None:
        top = inside_wrappers(self._tree)
        if not self._needs_labels and is_heap(top):
            refuse_splits_inside(self._root, self._tree, "a folder of loose images")
            self._take(self._tree, "", UNLABELLED)
            return
        self.said += told_wrapper(self._tree, top)
        self._read_top(top)
        self._names.require_filled()
        for folder in (*beside(self._tree, top), *top.folders):
            if not folder.count:
                self.said.append(f"{printable(folder.path)} holds no image and is left out")
        self.said += [*self._told_unlabelled(), *self._names.notes(), *self._told_inside()]

    def _read_top(self, top: Folder) -> None:
        splits = split_folders(self._root, top)
        if splits:
            self._read_splits(top, splits)
        elif inside := self._splits_inside(top):
            self._read_classes_of_splits(top, inside)
        elif top.bearing:
            self._read_classes(top, None)
        else:
            self._take(top, "", None if self._needs_labels else UNLABELLED)
            self.said.append(WITHOUT_LABELS)

    def _read_splits(self, top: Folder, splits: dict[Folder, int]) -> None:
        self._refuse_stray(top, "its split folders")
        self.said += _told_spellings(splits)
        wrapped = inside_splits(splits)
        for folder, split in splits.items():
            inner = wrapped[folder]
            if not folder.count:
                self._refuse_unless_bare(folder)
            elif inner.bearing:
                self._read_classes(inner, split)
                self.said += told_wrapper(folder, inner)
            else:
                self._take(inner, "", split)
                self._without[split] = inner.count

    def _refuse_unless_bare(self, folder: Folder) -> None:
        if not is_bare(folder):
            raise refusal(
                self._root,
                folder,
                f"this split folder holds no image{instead(folder)}",
                "images in every split folder",
                "Fill the folder or remove it.",
            )

    def _read_classes(self, parent: Folder, split: int | None) -> None:
        self._refuse_stray(parent, "its class folders")
        refuse_parts(self._root, parent)
        refuse_splits_inside(self._root, parent, "class folders")
        require_distinct(self._root, parent, parent.bearing)
        for folder in parent.folders:
            if not folder.count:
                self._names.skip(folder, in_split=split is not None)
                continue
            name = self._names.name_of(folder, split)
            self._inside += [inner.name for inner in folder.bearing]
            self._take(folder, name, split)

    def _splits_inside(self, top: Folder) -> dict[Folder, dict[Folder, int]]:
        """Split folders by class folder; empty where classes hold none.

        Raises:
            DatasetError: Some classes hold splits and others do not, or they hold more beside.
        """
        found = {folder: split_folders(self._root, folder) for folder in top.bearing}
        having = [folder for folder in found if found[folder]]
        if not having:
            return {}
        for folder in top.bearing:
            if not found[folder]:
                first = having[0]
                raise refusal(
                    self._root,
                    top,
                    f"'{printable(first.name)}' holds {_names_of(found[first])} and "
                    f"'{printable(folder.name)}' does not",
                    "split folders inside every class folder, or inside none",
                    "Put the splits above the classes: train/CLASS, test/CLASS.",
                )
            self._refuse_stray(folder, _names_of(found[folder]))
        return found

    def _read_classes_of_splits(self, top: Folder, inside: dict[Folder, dict[Folder, int]]) -> None:
        self._refuse_stray(top, "its class folders")
        require_distinct(self._root, top, top.bearing)
        self.said.append("splits are read from inside the class folders")
        self.said += _told_spellings(
            {f: s for splits in inside.values() for f, s in splits.items()}
        )
        for folder in top.folders:
            if not folder.count:
                self._names.skip(folder, in_split=False)
            for inner, split in inside.get(folder, {}).items():
                if inner.count:
                    self._refuse_sets(top, inner)
                    self._take(inner, self._names.name_of(folder, split), split)
                else:
                    self._refuse_unless_bare(inner)

    def _refuse_sets(self, top: Folder, split: Folder) -> None:
        if split.bearing:
            sets = [folder.name for folder in top.bearing]
            raise refusal(
                self._root,
                split,
                f"holds folders ({quoted([f.name for f in split.bearing])}) where {quoted(sets)} "
                "would be the classes",
                "images alone in a split of a class",
                f"If {quoted(sets)} are sets of their own, name one: "
                f"{place(self._root, top.bearing[0])}.",
            )

    def _refuse_stray(self, parent: Folder, beside: str) -> None:
        if not parent.files:
            return
        first = printable(parent.files[0].path.rpartition("/")[2])
        raise refusal(
            self._root,
            parent,
            f"holds {counted(len(parent.files), 'image')} beside {beside} ('{first}' is one)",
            "images inside those folders alone",
            "Move each image into the folder where it belongs.",
        )

    def _take(self, folder: Folder, label: str, split: int | None) -> None:
        found = folder.all_files()
        self.files += [ImageFile(file.path, file.size_bytes, label, split) for file in found]

    def _told_unlabelled(self) -> Iterator[str]:
        if not any(file.label for file in self.files):
            yield from [WITHOUT_LABELS] if self._without else []
            return
        for split, count in self._without.items():
            if split != UNLABELLED:
                samples = counted(count, "sample")
                yield f"{samples} of {SPLITS[split]} stand in no class folder and have no label"

    def _told_inside(self) -> Iterator[str]:
        if self._inside:
            names = listed(list(dict.fromkeys(self._inside)))
            yield f"a class is the topmost folder; sub-folders ({names}) are not told apart"


def _told_spellings(splits: dict[Folder, int]) -> list[str]:
    """How split names that are not ours were read."""
    other = {printable(f.name): SPLITS[s] for f, s in splits.items() if f.name.lower() != SPLITS[s]}
    told = [f"'{name}' as {split}" for name, split in other.items()]
    return [", ".join([told[0].replace("' as", "' is taken as"), *told[1:]])] if told else []


def _names_of(splits: dict[Folder, int]) -> str:
    return listed([folder.name for folder in splits])
