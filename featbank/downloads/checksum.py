"""Checksums as publishers write them: ``sha256:…`` or ``md5:…``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from featbank.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader, FileIO

    from featbank.remote import RemoteFile

CHUNK_BYTES = 1 << 20
_KINDS = ("sha256", "md5")


class Digest:
    """A checksum that grows with the bytes.

    Args:
        file: Whose checksum; without one, any content passes.

    Raises:
        CatalogError: The record's checksum is of an unknown kind.
    """

    def __init__(self, file: RemoteFile) -> None:
        kind, _, self.expected = file.checksum.partition(":")
        if file.checksum and (kind not in _KINDS or not self.expected):
            raise CatalogError(
                file.name,
                f"its checksum is '{file.checksum}'",
                " or ".join(f"{known}:…" for known in _KINDS),
                "Correct the catalog entry.",
            )
        self._kind = kind
        self.restart()

    def restart(self) -> None:
        """Forget all bytes."""
        # The publisher's md5 tells a damaged file; nobody's safety rests on it.
        self._hash: Any = hashlib.new(self._kind, usedforsecurity=False) if self.expected else None

    def update(self, data: bytes) -> None:
        """Take further bytes."""
        if self._hash is not None:
            self._hash.update(data)

    def update_from(self, stream: BufferedReader | FileIO, tell: Callable[[int], None]) -> None:
        """Take all bytes of a stream from its start.

        Args:
            stream: The open file.
            tell: Takes the number of bytes taken so far.
        """
        done = stream.seek(0)
        while self._hash is not None and (data := stream.read(CHUNK_BYTES)):
            self._hash.update(data)
            done += len(data)
            tell(done)

    @property
    def found(self) -> str:
        """The checksum of the bytes taken, in hexadecimal."""
        return "" if self._hash is None else str(self._hash.hexdigest())

    @property
    def fits(self) -> bool:
        """Whether the bytes taken are the publisher's; true where there is no checksum."""
        return self.found == self.expected.lower()
