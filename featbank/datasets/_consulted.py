"""Which files a reader of single images consults: the image, and what stands beside it."""

from __future__ import annotations

import os
from pathlib import Path

from featbank.datasets.decode import SUFFIXES
from featbank.datasets.side_files import side_files


class Consulted:
    """Names the files of images; each folder is listed once.

    Most folders hold nothing but images, and asking for eight further files beside each of them
    would cost more than reading it.
    """

    def __init__(self) -> None:
        self._is_bare: dict[str, bool] = {}

    def of(self, path: str) -> tuple[str, ...]:
        """The image's path, then those of the files beside it."""
        folder = os.path.dirname(path)
        if folder not in self._is_bare:
            self._is_bare[folder] = _holds_images_alone(folder)
        if self._is_bare[folder]:
            return (path,)
        return (path, *(str(side) for side in side_files(Path(path))))


def _holds_images_alone(folder: str) -> bool:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        # It went away after the images were listed; whoever reads them says so.
        return True
    return all(os.path.splitext(name)[1].lower() in SUFFIXES for name in names)
