"""Reading an archive's bytes once, front to back, whatever they are compressed with."""

from __future__ import annotations

import bz2
import gzip
import io
from typing import TYPE_CHECKING, BinaryIO, cast

import zstandard

from featbank.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ZIP, GZIP, BZIP2, ZSTD, TAR = "zip", "gzip", "bzip2", "zstd", "tar"
# First bytes: APPNOTE 4.3.7 and 4.3.16; RFC 1952; bzip2 manual; RFC 8878, 3.1.1 and 3.1.2.
_MAGIC = (
    (ZIP, (b"PK\x03\x04", b"PK\x05\x06")),
    (GZIP, (b"\x1f\x8b",)),
    (BZIP2, (b"BZh",)),
    (ZSTD, (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + low, 0x2A, 0x4D, 0x18]) for low in range(16)))),
)
_TAR_MAGIC_AT = 257
_CHUNK_BYTES = 1 << 18
# A block of 4 bytes may stand for 128 KiB (RFC 8878, 3.1.1.2), so a piece for 128 MiB of memory.
_ZSTD_PIECE_BYTES = 1 << 12


def kind_of(archive: Path) -> str:
    """What an archive is, by its first bytes.

    Raises:
        DownloadError: It is none that this module reads.
    """
    with archive.open("rb") as file:
        head = file.read(_TAR_MAGIC_AT + 5)
    for kind, magics in _MAGIC:
        if head.startswith(magics):
            return kind
    if head[_TAR_MAGIC_AT:] == b"ustar":
        return TAR
    raise DownloadError(
        str(archive),
        f"starts with {head[:4]!r}",
        "a zip or tar archive, plain or compressed with gzip, bzip2 or zstd",
        "Delete it to fetch it anew.",
    )


class Watched(io.RawIOBase):
    """A file that tells how far it has been read.

    Args:
        file: The open file.
        tell: Takes the number of bytes read so far.
    """

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file = file
        self._tell = tell
        self._done = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # typed wider
        """Fill a buffer."""
        count = cast("int", self._file.readinto(buffer))  # type: ignore[attr-defined] # every file has it
        self._done += count
        self._tell(self._done)
        return count


class ZstdFile(io.RawIOBase):
    """The bytes of all frames of a Zstandard file; a cut-off last frame is an error.

    Args:
        file: The compressed file.
    """

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._compressed = memoryview(b"")
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # typed wider
        """Fill a buffer.

        Raises:
            EOFError: The file ends inside a frame.
        """
        while not self._plain:
            if not self._compressed:
                self._compressed = memoryview(self._file.read(_CHUNK_BYTES) or b"")
            if self._compressed:
                self._decompress()
            elif self._frame is None:
                return 0
            else:
                raise EOFError("ends inside a Zstandard frame")
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def _decompress(self) -> None:
        if self._frame is None:
            self._frame = zstandard.ZstdDecompressor().decompressobj()
        piece = self._compressed[:_ZSTD_PIECE_BYTES]
        self._compressed = self._compressed[len(piece) :]
        self._plain = memoryview(self._frame.decompress(piece))
        if self._frame.eof:
            used = len(piece) - len(self._frame.unused_data)
            self._compressed = memoryview(bytes(piece[used:]) + bytes(self._compressed))
            self._frame = None


def plain_bytes(kind: str, file: Watched) -> BinaryIO:
    """The decompressed bytes of a file of some kind."""
    if kind == GZIP:
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if kind == BZIP2:
        return cast("BinaryIO", bz2.BZ2File(cast("BinaryIO", file)))
    if kind == ZSTD:
        return io.BufferedReader(ZstdFile(file), _CHUNK_BYTES)
    return io.BufferedReader(file, _CHUNK_BYTES)
