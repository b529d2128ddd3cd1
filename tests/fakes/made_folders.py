"""Folders of tiny images, made from a list of their paths."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "tif": "TIFF", "tiff": "TIFF"}


def make_folder(root: Path, paths: Iterable[str], *, side_px: int = 8) -> Path:
    """A folder that holds what is listed; each image has pixels of its own.

    Args:
        root: The folder.
        paths: Paths inside it: a trailing ``/`` makes an empty folder, an image's suffix an image,
            ``a -> b`` a symbolic link at ``a`` to ``b``, anything else a file of text.
        side_px: Height and width of the images.
    """
    root.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(paths):
        link, arrow, target = path.partition(" -> ")
        place = os.path.join(root, link)
        if path.endswith("/") and not arrow:
            os.makedirs(place, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if arrow:
            os.symlink(target, place)
        else:
            _write(place, number, side_px)
    return root


def _write(place: str, number: int, side_px: int) -> None:
    kind = _FORMATS.get(place.rpartition(".")[2].lower())
    if kind is None:
        with open(place, "w") as file:
            file.write("<PAMDataset/>\n" if place.endswith(".aux.xml") else "text\n")
        return
    pixels = np.random.default_rng(number).integers(0, 255, (side_px, side_px, 3), dtype=np.uint8)
    with open(place, "wb") as file:
        Image.fromarray(pixels).save(file, format=kind)


def braces(pattern: str) -> list[str]:
    """Paths of a pattern with alternatives, as a shell expands them.

    Example:
        >>> braces("{train,test}/Forest/a.png")
        ['train/Forest/a.png', 'test/Forest/a.png']
    """
    head, opening, rest = pattern.partition("{")
    if not opening:
        return [pattern]
    inner, _, tail = rest.partition("}")
    return [path for word in inner.split(",") for path in braces(f"{head}{word}{tail}")]


def braced(text: str) -> list[str]:
    """Paths of several patterns, one a word; ``~`` stands for a space inside a name."""
    return [path.replace("~", " ") for word in text.split() for path in braces(word)]
