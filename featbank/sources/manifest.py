"""Comparing files on the disk with a publisher's list of their sizes and checksums."""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.errors import DatasetError, MissingPathError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_COLUMNS = ("path", "bytes", "sha256")
# Class folder and file name: what stays the same when somebody renames the folders above.
_KEY_PARTS = 2
_BATCH = 1024


@dataclass(frozen=True, kw_only=True)
class ManifestReport:
    """How the files of a folder compare with a manifest.

    Attributes:
        file: The manifest.
        listed: Files that it lists.
        same: Files that are here with the listed size and checksum.
        wrong: What differs, by path inside the folder.
        unlisted: Files that are here and not in the list.
    """

    file: str
    listed: int
    same: int
    wrong: dict[str, str] = field(default_factory=dict)
    unlisted: int = 0

    @property
    def is_broken(self) -> bool:
        """Whether a file differs, or none of them is in the list."""
        return bool(self.wrong) or not self.same

    def faults(self) -> list[str]:
        """What is wrong, in words."""
        if not self.wrong and not self.same:
            return [f"none of the {self.listed:,} files that the manifest lists is here"]
        here = self.same + len(self.wrong)
        return [f"{len(self.wrong):,} of {here:,} listed files altered"] if self.wrong else []


@dataclass(frozen=True)
class Entry:
    """One line of a manifest."""

    path: str
    size: int
    sha256: str


def compare_manifest(
    manifest: Path,
    root: Path,
    *,
    workers: int,
    progress: Callable[[str, int, int], None] | None = None,
) -> ManifestReport:
    """Compare sizes and checksums of the files that are here.

    Files are matched by the last parts of their path, class folder and file name; where several
    lines match, the one that shares most of the path counts.

    Args:
        manifest: CSV file of ``path,bytes,sha256``, plain or gzipped.
        root: The folder.
        workers: Threads that compute checksums.
        progress: Takes the step, and counts done and in all.

    Raises:
        MissingPathError: The manifest is not there.
        DatasetError: It has no such columns, or a line makes no sense.
    """
    entries = list(read_manifest(manifest))
    by_key: dict[str, list[Entry]] = {}
    for entry in entries:
        by_key.setdefault(_key(entry.path), []).append(entry)
    found = sorted(_files(root))
    jobs = [(path, _nearest(path, by_key[_key(path)])) for path in found if _key(path) in by_key]
    wrong: dict[str, str] = {}
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(jobs), _BATCH):
            batch = jobs[start : start + _BATCH]
            answers = pool.map(lambda job: _difference(root, *job), batch)
            wrong |= {job[0]: why for job, why in zip(batch, answers, strict=True) if why}
            if progress:
                progress("comparing checksums", start + len(batch), len(jobs))
    return ManifestReport(
        file=str(manifest),
        listed=len(entries),
        same=len(jobs) - len(wrong),
        wrong=wrong,
        unlisted=len(found) - len(jobs),
    )


def read_manifest(manifest: Path) -> Iterator[Entry]:
    """The lines of a manifest.

    Raises:
        MissingPathError: It is not there.
        DatasetError: It has no such columns, or a line makes no sense.
    """
    if not manifest.is_file():
        raise MissingPathError(
            str(manifest), "there is no such file", "a manifest", "Check the path."
        )
    opened: Any = gzip.open if manifest.suffix == ".gz" else open
    try:
        with opened(manifest, "rt", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield Entry(row["path"], int(row["bytes"]), _sha256(row["sha256"]))
    except (KeyError, TypeError, ValueError, gzip.BadGzipFile, EOFError, csv.Error) as error:
        raise DatasetError(
            str(manifest),
            f"is no manifest ({type(error).__name__}: {error})",
            f"a CSV file with the columns {', '.join(_COLUMNS)}",
            "Correct it.",
        ) from error


def _sha256(text: str) -> str:
    if len(bytes.fromhex(text)) != hashlib.sha256().digest_size:
        raise ValueError(f"'{text}' is no sha256")
    return text.lower()


def _key(path: str) -> str:
    return "/".join(path.split("/")[-_KEY_PARTS:])


def _files(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(folder).relative_to(root)
        yield from ((inside / name).as_posix() for name in names if not name.startswith("."))


def _nearest(path: str, entries: list[Entry]) -> Entry:
    def shared(entry: Entry) -> int:
        pairs = zip(reversed(path.split("/")), reversed(entry.path.split("/")), strict=False)
        return next((at for at, (a, b) in enumerate(pairs) if a != b), len(path))

    return max(entries, key=shared)


def _difference(root: Path, path: str, entry: Entry) -> str:
    size = (root / path).stat().st_size
    if size != entry.size:
        return f"{size:,} bytes where {entry.size:,} are listed"
    with (root / path).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return (
        ""
        if found == entry.sha256
        else f"sha256 {found[:12]}… where {entry.sha256[:12]}… is listed"
    )
