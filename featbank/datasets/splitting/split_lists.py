"""Publishers' split lists: finding them, reading them, and giving every sample its split."""

from __future__ import annotations

import bz2
from typing import TYPE_CHECKING

import numpy as np

from featbank.errors import DatasetError, MissingPathError
from featbank.samples import SPLITS, UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# Names looked for among a list's lines when a message shows how it looks.
_SHOWN = 60


def search_folders(root: Path, splits: Path | None) -> list[Path]:
    """Folders where lists may stand: the one that the user names, else the root's own.

    Raises:
        MissingPathError: The user names something that is not there.
    """
    if splits is None:
        return [root, root / "splits"]
    if not splits.exists():
        raise MissingPathError(
            str(splits), "there is no such file or folder", "split lists", "Correct --splits."
        )
    return [splits if splits.is_dir() else splits.parent]


def find_list(folders: Sequence[Path], names: Iterable[str]) -> Path | None:
    """The first file of these names in the first folder that has one."""
    wanted = tuple(names)
    paths = (folder / name for folder in folders for name in wanted)
    return next((path for path in paths if path.is_file()), None)


def read_lines(path: Path) -> list[str]:
    """Lines of a text file, plain or bz2, stripped; blank ones and a byte order mark are dropped.

    Raises:
        DatasetError: It is not text, cut short, or empty.
    """
    data = path.read_bytes()
    try:
        # Editors of some systems begin a file with U+FEFF, which would be part of the first name.
        text = (bz2.decompress(data) if path.suffix == ".bz2" else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(
            str(path), "does not read as text in UTF-8", "a split list", "Save it as UTF-8."
        ) from error
    except (ValueError, OSError, EOFError) as error:
        raise DatasetError(
            str(path), "does not unpack", "a split list in a whole bz2 file", "Fetch it again."
        ) from error
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    if not lines:
        raise DatasetError(str(path), "is empty", "a name a line", "Fetch it again.")
    return lines


def assign(
    keys: Sequence[str], lists: Mapping[str, Path], names: Mapping[str, Sequence[str]]
) -> NDArray[np.int8]:
    """Codes of the split that each sample is listed in, ``UNLABELLED`` where in none.

    Args:
        keys: (N,) names to look for.
        lists: File by split, for messages.
        names: Listed names by split.

    Raises:
        DatasetError: A name in two lists.
    """
    where: dict[str, int] = {}
    for split, listed in names.items():
        code = SPLITS.index(split)
        for name in listed:
            if where.setdefault(name, code) != code:
                other = lists[SPLITS[where[name]]].name
                raise DatasetError(
                    str(lists[split]),
                    f"lists '{name}', which {other} lists too",
                    "each sample in one split",
                    "Fetch the publisher's lists again.",
                )
    return np.array([where.get(key, UNLABELLED) for key in keys], dtype=np.int8)


def refuse_foreign(listed: Sequence[Sequence[str]], keys: Sequence[str], path: Path) -> None:
    """Raise where none of the listed names is here: a list of another dataset or edition.

    Args:
        listed: Names, list by list.
        keys: Names that are here.
        path: A list, for the message.

    Raises:
        DatasetError: Shows a name of either side.
    """
    here = set(keys)
    if any(not here.isdisjoint(names) for names in listed):
        return
    shown = next((name for names in listed for name in names), "nothing")[:_SHOWN]
    raise DatasetError(
        str(path),
        f"lists none of the {len(here)} samples that are here, but '{shown}' and others",
        f"names such as '{keys[0]}'",
        "Take the lists of this dataset and edition.",
    )
