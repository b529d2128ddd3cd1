"""Which folders are splits: all that a parent holds, or none; a mixture is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.datasets._folder_names import EITHER, SplitName, split_name
from featbank.datasets._folder_words import listed, quoted, refusal
from featbank.samples import SPLITS, TEST, TRAIN, VAL

if TYPE_CHECKING:
    from featbank.datasets._folder_listing import Folder
    from featbank.errors import DatasetError


def split_folders(root: str, parent: Folder) -> dict[Folder, int]:
    """The folders of a parent that are splits, in order of their split; empty where none is.

    Args:
        root: The whole folder, for messages.
        parent: Whose folders are asked.

    Raises:
        DatasetError: Splits stand beside folders that are none, one split is there twice, or it
            cannot be told which is meant.
    """
    spoken = _spoken(parent)
    bearing = {folder: name for folder, name in spoken.items() if folder.count}
    if not _mean_splits(bearing):
        return {}
    strangers = [folder for folder in parent.bearing if folder not in spoken]
    if strangers or len({name.rest for name in bearing.values()}) > 1:
        raise _mixture(root, parent, bearing)
    splits = {folder: _settled(root, folder, spoken) for folder in spoken}
    for split in set(splits.values()):
        same = [folder.name for folder in splits if splits[folder] == split]
        if len(same) > 1:
            raise refusal(
                root,
                parent,
                f"{quoted(same, last=' and ')} both mean {SPLITS[split]}",
                "one folder for each split",
                "Join them, or rename one.",
            )
    return dict(sorted(splits.items(), key=lambda pair: pair[1]))


def refuse_splits_inside(root: str, folder: Folder, what: str) -> None:
    """Raise where split folders stand in a folder, at any depth.

    Args:
        root: The whole folder, for messages.
        folder: Where none may stand.
        what: What the folder is, in words.

    Raises:
        DatasetError: Names them.
    """
    for parent in folder.walk():
        inside = {inner: name for inner, name in _spoken(parent).items() if inner.count}
        if _mean_splits(inside):
            raise refusal(
                root,
                parent,
                f"holds {listed(_in_order(inside))} inside {what}",
                "split folders at the top, or directly inside each class folder",
                "Move them there, or rename them.",
            )


def _spoken(parent: Folder) -> dict[Folder, SplitName]:
    named = ((folder, split_name(folder.name)) for folder in parent.folders)
    return {folder: name for folder, name in named if name is not None}


def _mean_splits(spoken: dict[Folder, SplitName]) -> bool:
    """Whether names that speak of splits mean them: one does by itself, or two do together."""
    if any(name.is_strong for name in spoken.values()):
        return True
    by_rest: dict[str, set[int]] = {}
    for name in spoken.values():
        by_rest.setdefault(name.rest, set()).add(name.split)
    return any(TRAIN in splits and len(splits) > 1 for splits in by_rest.values())


def _settled(root: str, folder: Folder, spoken: dict[Folder, SplitName]) -> int:
    split = spoken[folder].split
    if split != EITHER:
        return split
    others = {name.split for name in spoken.values()}
    missing = [which for which in (VAL, TEST) if which not in others]
    if len(missing) == 1:
        return missing[0]
    raise refusal(
        root,
        folder,
        f"'{folder.name}' may mean validation or test",
        "a name that says which",
        "Rename it to val or to test.",
    )


def _mixture(root: str, parent: Folder, spoken: dict[Folder, SplitName]) -> DatasetError:
    strong = [name.rest for name in spoken.values() if name.is_strong]
    rests = strong or [name.rest for name in spoken.values()]
    usual = max(rests, key=rests.count)
    splits = _in_order({f: name for f, name in spoken.items() if name.rest == usual})
    others = [folder.name for folder in parent.bearing if folder.name not in splits]
    return refusal(
        root,
        parent,
        f"holds {listed(splits)} beside {quoted(others)}",
        "folders of splits alone, or of classes alone",
        f"Move {quoted(others[:1])} into a split or away; or, where {quoted(splits[:1])} is a "
        "class, rename it.",
    )


def _in_order(spoken: dict[Folder, SplitName]) -> list[str]:
    return [folder.name for folder in sorted(spoken, key=lambda folder: spoken[folder].split)]
