"""Images that stand beside masks or previews of themselves in one folder, told by their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from featbank.datasets._folder_words import place
from featbank.errors import DatasetError
from featbank.file_names import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featbank.datasets._folder_listing import Folder

# What a mask's name says beside its image's: DeepGlobe (0_sat.jpg, 0_mask.png), Inria and Kaggle
# (_gt, _label), LoveDA, Planet (_udm2), clouds, heights and previews of scenes. 'targets' and
# 'boxes' are names of things in images too.
_MASK = (
    "masks?|msk|gt|labels?|seg|segs|segmentation|annots?|annotations?|ground[_-]?truth"
    "|clouds?|cloud[_-]?masks?|udm2?|dem|dsm|quick[_-]?looks?|thumb|thumbs|thumbnails?|previews?"
)
_IMAGE = ("sat", "image", "img", "rgb", "images", "imgs", "photo")
_MASK_LAST = re.compile(rf"(.+?)[ _.-]+(?:{_MASK})")
_MASK_FIRST = re.compile(rf"(?:{_MASK})[ _.-]+(.+)")
_BETWEEN = re.compile(r"[ _.-]+")


def refuse_twins(root: str, tree: Folder) -> None:
    """Raise where images stand beside masks of themselves in one folder, at any depth.

    Raises:
        DatasetError: Names one pair and says how many there are.
    """
    pairs = [pair for folder in tree.walk() for pair in _twins(folder)]
    if not pairs:
        return
    image, mask = (printable(path) for path in pairs[0])
    many = (
        f"{len(pairs)} images beside masks or previews of them"
        if len(pairs) > 1
        else "an image and a mask or preview"
    )
    raise DatasetError(
        place(root, tree),
        f"holds {many} in one folder ('{image}' and '{mask}')",
        "images alone: masks, annotations and previews of images would become samples",
        f"Move files named like '{mask.rpartition('/')[2]}' out of this folder, or rename them if "
        "they are images too.",
    )


def _twins(folder: Folder) -> Iterator[tuple[str, str]]:
    """Paths of an image and its mask, for each mask that has an image beside it."""
    images = {_key(_stem(file.path)): file.path for file in folder.files}
    for file in folder.files:
        stem = _stem(file.path)
        found = _MASK_LAST.fullmatch(stem) or _MASK_FIRST.fullmatch(stem)
        if found is None:
            continue
        base = _key(found.group(1))
        names = (
            base,
            *(f"{base} {word}" for word in _IMAGE),
            *(f"{word} {base}" for word in _IMAGE),
        )
        image = next((images[name] for name in names if name in images), None)
        if image is not None:
            yield image, file.path


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0].lower()


def _key(stem: str) -> str:
    """A name in which all that stands between words is alike."""
    return _BETWEEN.sub(" ", stem).strip()
