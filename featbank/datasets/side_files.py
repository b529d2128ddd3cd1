"""Files beside an image that tell of its pixels: GDAL's ``.aux.xml`` and ``.msk``, no others."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from featbank.datasets.decoding.gdal_metadata import NONE, DamagedMetadata, parse_side_file
from featbank.datasets.decoding.meaning import NOTHING, Beside
from featbank.datasets.decoding.refusals import MAX_DECODED_BYTES, refuse
from featbank.datasets.decoding.tiff import decode_mask

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Each stands behind the whole name of the image, as GDAL writes it.
_METADATA, _MASK = ".aux.xml", ".msk"
_ENDINGS = (_METADATA, _MASK)


def side_files(path: Path) -> tuple[Path, ...]:
    """The files beside an image that its reader consults, in a fixed order.

    Args:
        path: The image.

    Returns:
        Those that exist. World files and headers of other formats are not consulted.
    """
    named = (path.with_name(path.name + ending) for ending in _ENDINGS)
    # Unlike Path.is_file, this takes a name too long for the disk as one that is not there.
    return tuple(file for file in named if os.path.isfile(file))


def with_side_files(root: Path, paths: Iterable[str]) -> frozenset[str]:
    """Which images have files beside them; each folder is listed once.

    Args:
        root: The dataset's folder.
        paths: Images inside it.
    """
    listed: dict[str, frozenset[str]] = {}
    found = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in listed:
            listed[folder] = _sided(root / folder)
        if name in listed[folder]:
            found.append(path)
    return frozenset(found)


def read_beside(path: str, name: str) -> Beside:
    """What the files beside an image say.

    Args:
        path: The image.
        name: Its name, for messages.

    Raises:
        DecodeError: A side file is damaged.
        OSError: The disk or network failed.
    """
    metadata, mask = (_bytes(path + ending, name + ending) for ending in _ENDINGS)
    if metadata is None and mask is None:
        return NOTHING
    try:
        told = NONE if metadata is None else parse_side_file(metadata)
    except DamagedMetadata as error:
        refuse(name + _METADATA, str(error), "GDAL's metadata", "Write it again, or remove it.")
    return Beside(
        metadata=told, is_masked=None if mask is None else decode_mask(mask, name + _MASK)
    )


def _sided(folder: Path) -> frozenset[str]:
    names = os.listdir(folder)
    return frozenset(n.removesuffix(end) for end in _ENDINGS for n in names if n.endswith(end))


def _bytes(path: str, name: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size > MAX_DECODED_BYTES:
                refuse(name, "is longer than an image", "a side file", "Remove it.")
            return file.read()
    except (FileNotFoundError, IsADirectoryError):
        return None
    except OSError as error:
        # With an ending, an image's name may be longer than the disk takes.
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise
