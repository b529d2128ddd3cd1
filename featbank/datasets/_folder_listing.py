"""What a folder holds, at every depth: image files, and a count of all that is not one."""

from __future__ import annotations

import os
import stat
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from featbank.datasets.decode import SUFFIXES
from featbank.errors import DatasetError, ReadError
from featbank.file_names import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Folders and files that systems put beside a user's own: macOS archives, Windows, NAS boxes
# (Synology, QNAP), file system checks, Python. Names that begin with a dot are hidden anyway.
_SYSTEM = frozenset(
    {
        "__macosx",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "@eadir",
        "@recycle",
        "#recycle",
        "#snapshot",
        "lost+found",
        "__pycache__",
    }
)
# Files that belong beside images: GDAL's and ESRI's side files, world files, headers, lists, texts.
_SIDE_SUFFIXES = (
    ".xml .msk .ovr .hdr .prj .rrd .aux .wld .tfw .tifw .tiffw .jgw .jpgw .jpegw .pgw .pngw .bpw "
    ".j2w .wkt .cpg .dbf .shp .shx .qml .geojson .json .jsonl .txt .csv .tsv .md .rst .pdf .html "
    ".toml .yaml .yml .ini .cfg .log .lst .list .names .md5 .sha1 .sha256 .sha256sum"
)
_SIDES = frozenset(_SIDE_SUFFIXES.split())
# First bytes of the kinds of image that may be meant where a suffix does not say so.
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\0\0\0\x0cjP  ")
_MAGIC_BYTES = 12
# Opening a file costs a network disk a millisecond; more are not looked into.
_MOST_LOOKED_INTO = 4096
NO_SUFFIX = "without suffix"

UNREAD, SIDE, DISGUISED, HIDDEN = "unread", "side", "disguised", "hidden"
BROKEN, SPECIAL, TWICE, LOOP = "broken", "special", "twice", "loop"


def is_skipped(name: str) -> bool:
    """Whether a file or folder is hidden, or one that a system put there for itself."""
    return name.startswith(".") or name.lower() in _SYSTEM


@dataclass(frozen=True, order=True, slots=True)
class File:
    """One image file: path inside the root, as the system spells it, and size."""

    path: str
    size_bytes: int


@dataclass(eq=False)
class Folder:
    """One folder and what is inside.

    Attributes:
        path: Inside the root; '' for the root.
        name: Its last part.
        files: Image files directly inside.
        folders: Folders directly inside, by name.
        count: Images at any depth.
        left_out: How often each (kind, detail) that is no image was met, at any depth.
        examples: One path of each kind that a user would look for.
    """

    path: str
    name: str
    files: list[File] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    count: int = 0
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def bearing(self) -> list[Folder]:
        """The folders directly inside that hold images at any depth."""
        return [folder for folder in self.folders if folder.count]

    def number(self, kind: str) -> int:
        """How much of a kind was left out, at any depth."""
        return sum(n for (what, _), n in self.left_out.items() if what == kind)

    def details(self, kind: str) -> list[tuple[str, int]]:
        """Details of a kind with their counts, the most frequent first."""
        found = [(detail, n) for (what, detail), n in self.left_out.items() if what == kind]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))

    def walk(self) -> Iterator[Folder]:
        """The folder and all inside it."""
        waiting = [self]
        while waiting:
            folder = waiting.pop()
            yield folder
            waiting += reversed(folder.folders)

    def all_files(self) -> list[File]:
        """Image files at any depth, by path."""
        return sorted(file for folder in self.walk() for file in folder.files)


def list_folder(root: Path) -> Folder:
    """List a folder of images at every depth.

    Hidden and system entries are skipped. Links are followed; a folder that is reached twice is
    read once, under its own path where it has one inside the root. Nothing but regular files is
    ever opened, and images not at all.

    Raises:
        DatasetError: A folder inside must not be read.
        ReadError: The disk failed.
    """
    tree = _Walk(root).tree()
    # Folders stand after those that hold them, so that counts add up from the leaves.
    for folder in reversed(list(tree.walk())):
        folder.count = len(folder.files) + sum(inner.count for inner in folder.folders)
        for inner in folder.folders:
            folder.left_out.update(inner.left_out)
            for kind, example in inner.examples.items():
                folder.examples.setdefault(kind, example)
    return tree


class _Walk:
    """One pass over a folder, links to folders last."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._seen: dict[tuple[int, int], str] = {}
        self._links: deque[tuple[Folder, Folder]] = deque()
        self._above = {_identity(os.stat(parent)) for parent in root.resolve().parents}
        self._looked_into = 0

    def tree(self) -> Folder:
        top = Folder("", os.path.basename(self._root))
        self._seen[_identity(os.stat(self._root))] = ""
        self._read_all(top)
        while self._links:
            self._follow(*self._links.popleft())
        return top

    def _follow(self, parent: Folder, link: Folder) -> None:
        try:
            identity = _identity(os.stat(self._place(link.path)))
        except OSError:
            # It led somewhere a moment ago.
            self._leave_out(parent, BROKEN, "", link.path)
            return
        first = self._seen.get(identity)
        is_inside = first is not None and f"{link.path}/".startswith(f"{first}/" if first else "")
        if identity in self._above or is_inside:
            self._leave_out(parent, LOOP, "", link.path)
            return
        parent.folders.append(link)
        parent.folders.sort(key=lambda folder: folder.name)
        if first is None:
            self._seen[identity] = link.path
            self._read_all(link)
        else:
            # It stays as a folder without images: no class or split is lost in silence.
            self._leave_out(link, TWICE, "", f"{link.path} is {first}")

    def _read_all(self, top: Folder) -> None:
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            for entry in self._entries(folder):
                self._take(folder, entry)
            waiting += folder.folders

    def _entries(self, folder: Folder) -> list[os.DirEntry[str]]:
        place = self._place(folder.path)
        try:
            with os.scandir(place) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except PermissionError as error:
            raise DatasetError(
                printable(place),
                f"this folder must not be read ({error.strerror})",
                "folders that you may read",
                "Ask for the right to read it, or move it out of the folder of images.",
            ) from error
        except OSError as error:
            raise _failed(place, error) from error

    def _take(self, folder: Folder, entry: os.DirEntry[str]) -> None:
        path = f"{folder.path}/{entry.name}" if folder.path else entry.name
        suffix = os.path.splitext(entry.name)[1].lower().removesuffix(".")
        if is_skipped(entry.name):
            if suffix in SUFFIXES or _is_folder(entry):
                self._leave_out(folder, HIDDEN, "", path)
            return
        found = self._status(entry)
        if found is None:
            self._leave_out(folder, BROKEN, "", path)
        elif stat.S_ISDIR(found.st_mode):
            self._take_folder(folder, Folder(path, entry.name), found, entry.is_symlink())
        elif not stat.S_ISREG(found.st_mode):
            self._leave_out(folder, SPECIAL, _kind(found.st_mode), path)
        elif suffix in SUFFIXES:
            folder.files.append(File(path, found.st_size))
        else:
            self._leave_file(folder, path, suffix)

    def _take_folder(
        self, parent: Folder, folder: Folder, found: os.stat_result, is_link: bool
    ) -> None:
        if is_link:
            self._links.append((parent, folder))
            return
        # Some network disks number nothing: there each folder is its own.
        is_known = found.st_ino != 0
        first = self._seen.setdefault(_identity(found), folder.path) if is_known else folder.path
        if first == folder.path:
            parent.folders.append(folder)
        else:
            self._leave_out(parent, TWICE, "", f"{folder.path} is {first}")

    def _leave_file(self, folder: Folder, path: str, suffix: str) -> None:
        if suffix in _SIDES:
            self._leave_out(folder, SIDE, suffix, path)
            return
        detail = printable(suffix) or NO_SUFFIX
        self._leave_out(folder, UNREAD, detail, path)
        if self._looked_into < _MOST_LOOKED_INTO:
            self._looked_into += 1
            if _holds_image(self._place(path)):
                self._leave_out(folder, DISGUISED, detail, path)

    def _leave_out(self, folder: Folder, kind: str, detail: str, example: str) -> None:
        folder.left_out[kind, detail] += 1
        folder.examples.setdefault(kind, printable(example))

    def _status(self, entry: os.DirEntry[str]) -> os.stat_result | None:
        """What an entry leads to; None for a link that leads nowhere."""
        try:
            return entry.stat()
        except OSError as error:
            if entry.is_symlink():
                return None
            raise _failed(entry.path, error) from error

    def _place(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root


def _failed(place: str, error: OSError) -> ReadError:
    return ReadError(
        printable(place),
        f"cannot be read ({error.strerror or error})",
        "a folder that can be read",
        "Repair the disk, network or path, then repeat the command.",
    )


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    return next((name for is_kind, name in kinds if is_kind(mode)), "device")


def _holds_image(place: str) -> bool:
    """Whether a file begins as an image does, whatever its name says."""
    try:
        with open(place, "rb") as file:
            head = file.read(_MAGIC_BYTES)
    except OSError:
        return False
    return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")
