"""EuroSAT: 27,000 Sentinel-2 chips of 640 m in ten land-cover classes, 13 bands or RGB."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featbank.catalog import suggest
from featbank.datasets._eurosat_variants import (
    CITATION,
    CLASSES,
    COLOUR,
    COUNT,
    MULTISPECTRAL,
    SIZE_PX,
    Variant,
)
from featbank.datasets._folder_listing import is_skipped
from featbank.datasets._folder_reader import GRID, FolderReader
from featbank.datasets._remote_files import (
    EUROSAT_MS,
    EUROSAT_RGB,
    EUROSAT_SPATIAL_SPLITS,
    EUROSAT_SPLITS,
)
from featbank.datasets.dataset import Dataset, DatasetRequest, DatasetSpec
from featbank.datasets.decode import FileLayout
from featbank.datasets.folder import LABELS
from featbank.datasets.geotiff import place_columns
from featbank.datasets.side_files import with_side_files
from featbank.datasets.splitting import split_lists as lists
from featbank.datasets.splitting.listed_splits import CUT, ListedSplits
from featbank.errors import DatasetError, MissingPathError
from featbank.image import Grid
from featbank.samples import UNLABELLED, LabelSet, Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# List files by scheme: a random split (Neumann et al. 2019, arXiv:1911.06721) and one by
# longitude, both kept at huggingface.co/datasets/torchgeo/eurosat.
_SCHEMES = {"random": "eurosat-{}.txt", "spatial": "eurosat-spatial-{}.txt"}
_SUFFIXES = (".tif", ".tiff", ".jpg", ".jpeg", ".png")
_SPLITS_FROM = (
    "Fetch eurosat-{train,val,test}.txt or eurosat-spatial-{train,val,test}.txt from "
    "https://huggingface.co/datasets/torchgeo/eurosat, put them in the data root or name their "
    "folder with --splits."
)


def open_eurosat(request: DatasetRequest, *, variant: Variant) -> Dataset:
    """Open EuroSAT, or any part of it.

    Args:
        request: ``root`` holds the published folders; ``splits`` names split lists.
        variant: Multispectral or RGB.

    Raises:
        MissingPathError: The root, or what ``splits`` names, is not there.
        DatasetError: No or two image folders, a folder that is no class, lists that do not fit.
    """
    root, images = _image_folder(request.root, variant)
    files = sorted(_files(images, variant))
    paths = [path for path, _ in files]
    ids = [Path(path).stem for path in paths]
    splits, told = _splits(root, request.splits, ids)
    names = tuple(band.name for band in variant.bands)
    return Dataset(
        name=variant.name,
        root=images,
        bands=variant.bands,
        grids=(Grid(name=GRID, bands=names, dtype=variant.dtype, size_px=SIZE_PX),),
        samples=Samples(
            ids=np.array(ids, dtype=object),
            origins=np.array([f"{path}\t{size}" for path, size in files], dtype=object),
            labels={LABELS: LabelSet(classes=CLASSES, codes=_codes(paths))},
            splits=splits or {"random": np.full(len(ids), UNLABELLED, dtype=np.int8)},
            **place_columns(images, paths),
        ),
        reader=FolderReader(
            str(images), np.array(paths), _layout(variant), with_side_files(images, paths)
        ),
        processing=variant.processing,
        licence="MIT",
        citation=CITATION,
        statistics=variant.statistics,
        notes=told if splits else ("no split lists here: all samples are unlabelled",),
        splits_from="" if splits else _SPLITS_FROM,
    )


def _layout(variant: Variant) -> FileLayout:
    is_colour = variant.suffix != ".tif"
    return FileLayout(
        bands=len(variant.bands), dtype=variant.dtype, is_colour=is_colour, applies_scale=False
    )


def _image_folder(root: Path | None, variant: Variant) -> tuple[Path, Path]:
    if root is None or not root.is_dir():
        raise MissingPathError(
            str(root), "there is no such folder", "EuroSAT's data root", "Check the path."
        )
    found = [root / folder for folder in variant.folders if _has_classes(root / folder)]
    if not found and _has_classes(root):
        found = [root]
    if len(found) == 1:
        return root, found[0]
    raise DatasetError(
        str(root),
        f"holds {len(found)} copies ({', '.join(str(f.relative_to(root)) for f in found)})"
        if found
        else f"holds no class folders of {variant.name}",
        f"one of {', '.join(variant.folders)} with folders such as {CLASSES[0]}",
        "Keep one." if found else "Pass the folder that holds it as --data-root.",
    )


def _has_classes(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in CLASSES)


def _files(images: Path, variant: Variant) -> list[tuple[str, int]]:
    files = []
    folders = [e.name for e in os.scandir(images) if e.is_dir() and not is_skipped(e.name)]
    for folder in set(folders) - {"splits"}:
        if folder not in CLASSES:
            raise DatasetError(
                str(images / folder),
                "is no class of EuroSAT",
                "its ten classes",
                suggest(folder, CLASSES),
            )
        with os.scandir(images / folder) as entries:
            files += [
                (f"{folder}/{e.name}", e.stat().st_size)
                for e in entries
                if e.name.endswith(variant.suffix) and not is_skipped(e.name)
            ]
    if not files:
        raise DatasetError(
            str(images),
            f"holds class folders without any {variant.suffix} file",
            f"images of {variant.name}",
            "JPEG images are eurosat-rgb, TIFF images are eurosat-ms.",
        )
    return files


def _codes(paths: Sequence[str]) -> NDArray[np.int32]:
    return np.array([CLASSES.index(path.split("/")[0]) for path in paths], dtype=np.int32)


def _splits(
    root: Path, splits: Path | None, ids: Sequence[str]
) -> tuple[dict[str, NDArray[np.int8]], tuple[str, ...]]:
    """Codes of each sample by scheme, and what a user must know of the lists."""
    folders = lists.search_folders(root, splits)
    schemes: dict[str, NDArray[np.int8]] = {}
    notes: list[str] = []
    is_one = splits is not None and splits.is_file()
    for scheme, pattern in _SCHEMES.items():
        names = {split: pattern.format(split) for split in ("train", "val", "test")}
        found = {split: lists.find_list(folders, [name]) for split, name in names.items()}
        files = {split: path for split, path in found.items() if path is not None}
        if is_one:
            files = {split: path for split, path in files.items() if path == splits}
        if files:
            listed = {split: _names(path) for split, path in files.items()}
            checked = ListedSplits(keys=ids, files=files, names=listed, is_one=is_one)
            lists.refuse_foreign(list(listed.values()), ids, next(iter(files.values())))
            schemes[scheme] = checked.codes()
            notes += checked.notes()
    if splits is not None and not schemes:
        raise DatasetError(
            str(splits),
            "holds no split list of EuroSAT",
            "eurosat-train.txt, eurosat-spatial-train.txt and so on",
            _SPLITS_FROM,
        )
    return schemes, tuple(notes)


def _names(path: Path) -> list[str]:
    """Ids that a list holds.

    Lists name .tif or .jpg, whichever their first user had; among such lines one without either
    was cut, and could be another chip's id: it is kept as no id at all.
    """
    lines = [Path(line) for line in lists.read_lines(path)]
    has_suffixes = any(line.suffix.lower() in _SUFFIXES for line in lines)
    is_whole = [line.suffix.lower() in _SUFFIXES or not has_suffixes for line in lines]
    return [
        line.stem if whole else line.name + CUT for line, whole in zip(lines, is_whole, strict=True)
    ]


_FILES = {MULTISPECTRAL.name: EUROSAT_MS, COLOUR.name: EUROSAT_RGB}


_CAVEATS = (
    (
        "Between 0.6 and 1.1 % of the labels are wrong, so differences above 99 % accuracy mean"
        " little (torchgeo-bench, audit with cleanlab)."
    ),
    (
        "The scheme 'random' (arXiv:1911.06721) ignores places: chips of one scene stand in "
        "train and test. Scheme 'spatial' (torchgeo, EuroSATSpatial) splits by longitude and is"
        " harder."
    ),
)


def _spec(variant: Variant, title: str) -> DatasetSpec:
    return DatasetSpec(
        name=variant.name,
        title=title,
        bands=variant.bands,
        size=f"{COUNT:,} chips of 640 m",
        processing=variant.processing,
        licence="MIT",
        citation=CITATION,
        open=partial(open_eurosat, variant=variant),
        takes_splits=True,
        files=(*_FILES[variant.name], *EUROSAT_SPLITS, *EUROSAT_SPATIAL_SPLITS),
        homepage="https://github.com/phelber/EuroSAT",
        expected_samples=(COUNT,),
        caveats=_CAVEATS,
    )


SPECS = (
    _spec(MULTISPECTRAL, "Sentinel-2 chips of 13 bands, ten land-cover classes"),
    _spec(COLOUR, "Sentinel-2 chips as RGB, ten land-cover classes"),
)
