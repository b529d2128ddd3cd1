"""What was seen in a folder, in words: refusals and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.datasets._folder_listing import (
    BROKEN,
    DISGUISED,
    HIDDEN,
    LOOP,
    SIDE,
    SPECIAL,
    TWICE,
    UNREAD,
)
from featbank.errors import DatasetError
from featbank.file_names import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featbank.datasets._folder_listing import Folder

_SHOWN = 4


def refusal(root: str, folder: Folder, found: str, expected: str, remedy: str) -> DatasetError:
    """An error that names a folder by its whole path."""
    return DatasetError(place(root, folder), found, expected, remedy)


def place(root: str, folder: Folder) -> str:
    """A folder's whole path, as text."""
    return printable(f"{root}/{folder.path}" if folder.path else root)


def quoted(names: Sequence[str], *, last: str = ", ") -> str:
    """Names in quotes, the rest of many counted."""
    return _joined([f"'{printable(name)}'" for name in names], last)


def listed(names: Sequence[str]) -> str:
    """Names as they are, the rest of many counted."""
    return _joined([printable(name) for name in names], ", ")


def _joined(words: list[str], last: str) -> str:
    if len(words) > _SHOWN:
        return f"{', '.join(words[:_SHOWN])} and {len(words) - _SHOWN} more"
    return last.join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun or clause.

    Example:
        >>> counted(1, "image"), counted(2, "image"), counted(2, "entry is", "entries are")
        ('1 image', '2 images', '2 entries are')
    """
    return f"{number} {one if number == 1 else many or one + 's'}"


def instead(folder: Folder) -> str:
    """What a folder without images holds, in brackets; '' for nothing."""
    said = [f"{n} {what}" for kind in (UNREAD, SIDE) for what, n in folder.details(kind)]
    said += [counted(n, what) for what, n in folder.details(SPECIAL)]
    if number := folder.number(BROKEN):
        said.append(counted(number, "link that leads nowhere", "links that lead nowhere"))
    if folder.number(TWICE):
        said.append(f"{folder.examples[TWICE]}, which is read already")
    if number := folder.number(HIDDEN):
        said.append(counted(number, "hidden entry", "hidden entries"))
    return f" ({', '.join(said)})" if said else ""


def is_bare(folder: Folder) -> bool:
    """Whether a folder without images holds nothing that may have been meant as one."""
    return not any(folder.number(kind) for kind in (UNREAD, BROKEN, SPECIAL, TWICE))


def left_out_note(tree: Folder) -> str:
    """What of a whole folder is not read, in one line; '' for nothing."""
    said = [_unread(tree)] if tree.number(UNREAD) else []
    for kind, one, many in (
        (DISGUISED, "of them begins as an image does", "of them begin as images do"),
        (BROKEN, "link leads nowhere", "links lead nowhere"),
        (LOOP, "link leads back and is not followed", "links lead back and are not followed"),
        (TWICE, "folder is reached twice and read once", "folders are reached twice and read once"),
    ):
        if number := tree.number(kind):
            said.append(f"{counted(number, one, many)} ({tree.examples[kind]})")
    said += [f"{counted(n, what)} never opened" for what, n in tree.details(SPECIAL)]
    if number := tree.number(HIDDEN):
        entry = ("hidden or system entry is skipped", "hidden or system entries are skipped")
        said.append(counted(number, *entry))
    if sides := tree.details(SIDE):
        said.append(f"beside the images: {_by_suffix(sides)}")
    return "; ".join(said)


def _unread(tree: Folder) -> str:
    number = tree.number(UNREAD)
    verb = "is" if number == 1 else "are"
    suffixes = _by_suffix(tree.details(UNREAD))
    return f"{number} of {number + tree.count} files {verb} not read: {suffixes}"


def _by_suffix(pairs: list[tuple[str, int]]) -> str:
    rest = sum(n for _, n in pairs[_SHOWN:])
    shown = ", ".join(f"{n} {detail}" for detail, n in pairs[:_SHOWN])
    return f"{shown}, {rest} others" if rest else shown
