"""The members of an archive, one after the other, as tar and zip files tell them."""

from __future__ import annotations

import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

import zstandard

from featbank.downloads.streams import ZIP, Watched, kind_of, plain_bytes
from featbank.errors import DownloadError, FeatbankError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Self

FOLDER, FILE, LINK, OTHER = "folder", "file", "link", "other"
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    zstandard.ZstdError,
    EOFError,
    NotImplementedError,
    struct.error,
    UnicodeError,
)
_ENCRYPTED = 0x1
_TAIL_BYTES = 1 << 18


@dataclass(frozen=True)
class Member:
    """One member of an archive.

    Attributes:
        name: Its path, as the archive says.
        kind: ``folder``, ``file``, ``link`` or ``other``.
        size: Its declared bytes.
        target: Path of the member that a link stands for, as the archive says.
        stream: Its bytes, to be read before the next member is taken; None for all but files.
    """

    name: str
    kind: str
    size: int
    target: str = ""
    stream: BinaryIO | None = None


@contextmanager
def reading(archive: Path) -> Iterator[None]:
    """Tells of an archive that makes no sense in the house's way.

    Raises:
        DownloadError: The archive is damaged.
    """
    try:
        yield
    except _BROKEN as error:
        raise damaged(archive, str(error)) from error
    except OSError as error:
        # bz2 and gzip say so of damaged bytes; a disk's error has a number.
        if isinstance(error, FeatbankError) or error.errno is not None:
            raise
        raise damaged(archive, str(error)) from error


def members(archive: Path, tell: Callable[[int], None]) -> Iterator[Member]:
    """The members of an archive, in its order, read once; to be taken inside ``reading``.

    Args:
        archive: A zip file, or a tar file, plain or compressed with gzip, bzip2 or Zstandard.
        tell: Takes the number of the archive's bytes that are behind.

    Raises:
        DownloadError: The file is no archive.
    """
    kind = kind_of(archive)
    return _zip(archive, tell) if kind == ZIP else _tar(archive, kind, tell)


def damaged(archive: Path, reason: str) -> DownloadError:
    """The one error for an archive that cannot be read to its end."""
    return DownloadError(
        str(archive), f"is damaged ({reason})", "a whole archive", "Delete it to fetch it anew."
    )


def declared_bytes(archive: Path) -> int | None:
    """Bytes of all members together, where an archive says so up front; None for tar files."""
    if kind_of(archive) != ZIP:
        return None
    with reading(archive), zipfile.ZipFile(archive) as file:
        return sum(info.file_size for info in file.infolist())


def _zip(archive: Path, tell: Callable[[int], None]) -> Iterator[Member]:
    done = 0
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            kind = _zip_kind(info)
            if info.flag_bits & _ENCRYPTED:
                raise zipfile.BadZipFile(f"{info.filename} is encrypted")
            if kind == FILE:
                with file.open(info) as stream:
                    yield Member(
                        info.filename, kind, info.file_size, stream=cast("BinaryIO", stream)
                    )
            else:
                yield Member(info.filename, kind, info.file_size)
            done += info.compress_size
            tell(done)


def _zip_kind(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.is_dir():
        return FOLDER
    return FILE if kind in (0, stat.S_IFREG) else OTHER


class _WholeHeader(tarfile.TarInfo):
    """A header that makes sense; the module would take any other for the archive's end."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tar)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined] # not in the stubs
            raise
        except tarfile.HeaderError as error:
            raise EOFError(f"a member's header makes no sense: {error}") from error


def _tar(archive: Path, kind: str, tell: Callable[[int], None]) -> Iterator[Member]:
    with (
        archive.open("rb") as raw,
        plain_bytes(kind, Watched(raw, tell)) as stream,
        tarfile.open(fileobj=stream, mode="r|", tarinfo=_WholeHeader) as tar,
    ):
        while (info := tar.next()) is not None:
            yield _member(tar, info)
            # The module keeps every member for look-ups that a stream never makes.
            tar.members = []  # type: ignore[attr-defined] # not in the stubs
        # To the end, so that the compression's own checksum is seen to hold.
        while stream.read(_TAIL_BYTES):
            pass


def _member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    if info.isdir():
        return Member(info.name, FOLDER, 0)
    if info.isreg():
        stream = tar.extractfile(info)
        return Member(info.name, FILE, info.size, stream=cast("BinaryIO", stream))
    if info.islnk():
        return Member(info.name, LINK, 0, target=info.linkname)
    if info.issym():
        folder, slash, _ = info.name.rpartition("/")
        absolute = info.linkname.startswith("/")
        target = info.linkname if absolute else f"{folder}{slash}{info.linkname}"
        return Member(info.name, LINK, 0, target=target)
    return Member(info.name, OTHER, 0)
