"""Remote files: what a publisher offers for download, and how to tell a whole copy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file of a publisher.

    Attributes:
        name: File name on this machine, inside the dataset's or the weights' folder.
        url: Where it is.
        size_bytes: Its size; None where the publisher does not say.
        checksum: ``sha256:…`` or ``md5:…`` as the publisher gives it; empty where there is none.
        unpack: Whether it is an archive to unpack beside itself.
        makes: What stands in the folder once it is unpacked; its presence says that nothing is
            left to fetch. Empty for plain files, which are their own mark.
    """

    name: str
    url: str
    size_bytes: int | None = None
    checksum: str = ""
    unpack: bool = False
    makes: str = ""
