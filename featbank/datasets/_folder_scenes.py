"""One scene that stands in several entries, each of which would become a sample of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from featbank.datasets._folder_words import place, quoted, refusal
from featbank.errors import DatasetError
from featbank.file_names import printable

if TYPE_CHECKING:
    from featbank.datasets._folder_listing import Folder

# Bands as Sentinel-1, Sentinel-2 and Landsat products name their files, and bands in words.
_NUMBERED = r"b\d{2}|b8a|b\d{1,2}|band_?\d{1,2}"
_POLARISED = "vv|vh|hh|hv"
_COLOURS = "red|green|blue|nir|swir\\d?|red_?edge\\d?|rgb"
_BAND = re.compile(rf"{_NUMBERED}|{_POLARISED}|{_COLOURS}")
_BAND_LAST = re.compile(rf"(.+)[ _.-]({_BAND.pattern})(?:[ _.-]\d+m)?")
_SPREAD = 0.5  # share of a folder's files from which names are no chance
# Two dates of change detection: OSCD, LEVIR-CD, xBD and others.
_DATES = (
    {"before", "after"}, {"pre", "post"}, {"im1", "im2"}, {"img1", "img2"}, {"image1", "image2"},
    {"t1", "t2"}, {"time1", "time2"}, {"date1", "date2"},
)  # fmt: skip
# What file managers and people add to the name of a copy.
_COPY = re.compile(
    r"(.+?)(?: \(\d+\)|[ _-]+(?:copy|copie|kopie|old|backup|bak|orig|original)(?: \(?\d+\)?)?)",
    re.IGNORECASE,
)


def refuse_spread_scenes(root: str, tree: Folder) -> None:
    """Raise where bands, dates or copies of one scene are entries of their own, at any depth.

    Raises:
        DatasetError: Names some of them.
    """
    for folder in tree.walk():
        _refuse_bands(root, folder)
        _refuse_scene_folders(root, folder)
        _refuse_dates(root, folder)
        _refuse_copies(root, folder)


def _refuse_bands(root: str, folder: Folder) -> None:
    by_scene: dict[str, dict[str, str]] = {}
    for file in folder.files:
        found = _BAND_LAST.fullmatch(_stem(file.path))
        if found is not None:
            by_scene.setdefault(found.group(1), {})[found.group(2)] = file.path
    spread = [bands for bands in by_scene.values() if len(bands) > 1]
    if sum(map(len, spread)) <= _SPREAD * len(folder.files):
        return
    names = [path.rpartition("/")[2] for path in spread[0].values()]
    raise DatasetError(
        place(root, folder),
        f"holds {len(spread)} scenes with a file for each band ({quoted(sorted(names))})",
        "one file for each scene: bands would become samples of their own",
        "Stack the bands of a scene into one file (gdalbuildvrt -separate, gdal_translate), or "
        "rename the files if they are scenes.",
    )


def _refuse_scene_folders(root: str, folder: Folder) -> None:
    inner = [each for each in folder.folders if each.files and not each.bearing]
    if len(inner) < 2 or len(inner) < len(folder.bearing):
        return
    bands = [{_stem(file.path) for file in each.files} for each in inner]
    if all(len(each) > 1 and all(map(_BAND.fullmatch, each)) for each in bands):
        raise refusal(
            root,
            folder,
            f"holds folders with a file for each band ({quoted(sorted(bands[0]))}), not classes",
            "one file for each scene: bands would become samples of their own",
            "Stack the bands of a scene into one file (gdalbuildvrt -separate, gdal_translate).",
        )


def _refuse_dates(root: str, folder: Folder) -> None:
    by_name = {inner.name.casefold(): inner for inner in folder.bearing}
    for pair in _DATES:
        if pair == set(by_name) and _same_files(*by_name.values()):
            names = [inner.name for inner in by_name.values()]
            raise refusal(
                root,
                folder,
                f"holds {quoted(names, last=' and ')} with the same file names: two dates of each "
                "place, not two classes",
                "one folder for each class, or images alone",
                f"Name one of them, such as {place(root, next(iter(by_name.values())))}.",
            )


def _same_files(first: Folder, second: Folder) -> bool:
    a, b = ({_stem(file.path) for file in folder.files} for folder in (first, second))
    return bool(a) and a == b


def _refuse_copies(root: str, folder: Folder) -> None:
    by_name = {inner.name.casefold(): inner for inner in folder.bearing}
    for name, inner in by_name.items():
        found = _COPY.fullmatch(name)
        other = by_name.get(found.group(1)) if found else None
        if other is not None and _same_folders(inner, other):
            raise refusal(
                root,
                folder,
                f"holds '{printable(inner.name)}' beside '{printable(other.name)}' with the same "
                "sub-folders: a copy, not another class",
                "one folder for each class, or train/val/test folders of them",
                f"Name one of them, such as {place(root, other)}.",
            )


def _same_folders(first: Folder, second: Folder) -> bool:
    a, b = ({inner.name for inner in folder.bearing} for folder in (first, second))
    return bool(a) and a == b


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0].lower()
