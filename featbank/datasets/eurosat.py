"""EuroSAT: 27,000 Sentinel-2 chips of 640 m in ten land-cover classes, 13 bands or RGB."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featbank.bands import RGB, SENTINEL2, Band
from featbank.catalog import suggest
from featbank.datasets import _split_lists as lists
from featbank.datasets.dataset import BandStatistics, Dataset, DatasetRequest, DatasetSpec
from featbank.datasets.decode import Layout
from featbank.datasets.folder import GRID, LABELS, FolderReader
from featbank.datasets.geotiff import read_lonlat
from featbank.errors import DatasetError, MissingPathError
from featbank.image import Grid
from featbank.samples import UNLABELLED, LabelSet, Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CLASSES = (
    *("AnnualCrop", "Forest", "HerbaceousVegetation", "Highway", "Industrial"),
    *("Pasture", "PermanentCrop", "Residential", "River", "SeaLake"),
)
# As the files hold them: B8A stands last, not after B08 (phelber/EuroSAT, README).
_FILE_ORDER = (*(f"B{i:02d}" for i in range(1, 13)), "B8A")
_BY_NAME = {band.name: band for band in SENTINEL2}
_SIZE_PX = (64, 64)
_COUNT = 27_000
# List files by scheme: a random split (Neumann et al. 2019, arXiv:1911.06721) and one by
# longitude, both kept at huggingface.co/datasets/torchgeo/eurosat.
_SCHEMES = {"random": "eurosat-{}.txt", "spatial": "eurosat-spatial-{}.txt"}
_SPLITS_FROM = (
    "Fetch eurosat-{train,val,test}.txt or eurosat-spatial-{train,val,test}.txt from "
    "https://huggingface.co/datasets/torchgeo/eurosat, put them in the data root or name their "
    "folder with --splits."
)
# torchgeo datamodules/eurosat.py, in file order; its names for the last five bands are those of
# another order, so the numbers are named here by the order of the files.
_STATISTICS = {
    "B01": (1354.41, 245.72),
    "B02": (1118.24, 333.01),
    "B03": (1042.93, 395.09),
    "B04": (947.63, 593.75),
    "B05": (1199.47, 566.42),
    "B06": (1999.79, 861.18),
    "B07": (2369.22, 1086.63),
    "B08": (2296.83, 1117.98),
    "B09": (732.08, 404.92),
    "B10": (12.11, 4.78),
    "B11": (1819.01, 1002.59),
    "B12": (1118.92, 761.31),
    "B8A": (2594.14, 1231.59),
}
_CITATION = (
    "P. Helber, B. Bischke, A. Dengel, D. Borth, EuroSAT: A Novel Dataset and Deep Learning "
    "Benchmark for Land Use and Land Cover Classification, IEEE JSTARS 2019, arXiv:1709.00029."
)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One of the two forms that EuroSAT is published in.

    Attributes:
        name: Catalog name.
        folders: Where archives put the class folders; the data root itself is tried last.
        suffix: Suffix of the images.
        bands: Bands in file order.
        dtype: NumPy dtype name.
        processing: Processing level.
        statistics: Published band statistics.
    """

    name: str
    folders: tuple[str, ...]
    suffix: str
    bands: tuple[Band, ...]
    dtype: str
    processing: str
    statistics: BandStatistics | None = None


MULTISPECTRAL = Variant(
    name="eurosat-ms",
    folders=(
        "EuroSATallBands",
        "EuroSAT_MS",
        "ds/images/remote_sensing/otherDatasets/sentinel_2/tif",
    ),
    suffix=".tif",
    bands=tuple(_BY_NAME[name] for name in _FILE_ORDER),
    dtype="uint16",
    processing=(
        "Sentinel-2 L1C, DN = top-of-atmosphere reflectance x 10000, no offset, all bands on 10 m"
    ),
    statistics=BandStatistics(values=_STATISTICS, source="torchgeo, EuroSAT"),
)
COLOUR = Variant(
    name="eurosat-rgb",
    folders=("EuroSAT_RGB", "2750"),
    suffix=".jpg",
    bands=RGB,
    dtype="uint8",
    processing="Sentinel-2 L1C, B04, B03, B02 with 0..2750 stretched to 0..255, JPEG",
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
    splits = _splits(root, request.splits, ids)
    names = tuple(band.name for band in variant.bands)
    return Dataset(
        name=variant.name,
        root=images,
        bands=variant.bands,
        grids=(Grid(name=GRID, bands=names, dtype=variant.dtype, size_px=_SIZE_PX),),
        samples=Samples(
            ids=np.array(ids, dtype=object),
            origins=np.array([f"{path}\t{size}" for path, size in files], dtype=object),
            labels={LABELS: LabelSet(classes=CLASSES, codes=_codes(paths))},
            splits=splits or {"random": np.full(len(ids), UNLABELLED, dtype=np.int8)},
            lonlat=read_lonlat(images, paths),
        ),
        reader=FolderReader(
            str(images), np.array(paths), Layout(bands=len(names), dtype=variant.dtype)
        ),
        processing=variant.processing,
        licence="MIT",
        citation=_CITATION,
        statistics=variant.statistics,
        notes=() if splits else ("no split lists here: all samples are unlabelled",),
        splits_from="" if splits else _SPLITS_FROM,
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
    folders = [e.name for e in os.scandir(images) if e.is_dir() and not e.name.startswith(".")]
    for folder in folders:
        if folder not in CLASSES and folder != "splits":
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
                if e.name.endswith(variant.suffix)
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


def _splits(root: Path, splits: Path | None, ids: Sequence[str]) -> dict[str, NDArray[np.int8]]:
    folders = lists.search_folders(root, splits)
    schemes = {}
    for scheme, pattern in _SCHEMES.items():
        names = {split: pattern.format(split) for split in ("train", "val", "test")}
        found = {split: lists.find_list(folders, [name]) for split, name in names.items()}
        files = {split: path for split, path in found.items() if path is not None}
        if splits is not None and splits.is_file():
            files = {split: path for split, path in files.items() if path == splits}
        if files:
            # Lists name .tif or .jpg, whichever their first user had.
            listed = {s: [Path(x).stem for x in lists.read_lines(p)] for s, p in files.items()}
            lists.refuse_foreign(list(listed.values()), ids, next(iter(files.values())))
            schemes[scheme] = lists.assign(ids, files, listed)
    if splits is not None and not schemes:
        raise DatasetError(
            str(splits),
            "holds no split list of EuroSAT",
            "eurosat-train.txt, eurosat-spatial-train.txt and so on",
            _SPLITS_FROM,
        )
    return schemes


def _spec(variant: Variant, title: str) -> DatasetSpec:
    return DatasetSpec(
        name=variant.name,
        title=title,
        bands=variant.bands,
        size=f"{_COUNT:,} chips of 640 m",
        processing=variant.processing,
        licence="MIT",
        citation=_CITATION,
        open=partial(open_eurosat, variant=variant),
        takes_splits=True,
        homepage="https://github.com/phelber/EuroSAT",
        expected_samples=(_COUNT,),
    )


SPECS = (
    _spec(MULTISPECTRAL, "Sentinel-2 chips of 13 bands, ten land-cover classes"),
    _spec(COLOUR, "Sentinel-2 chips as RGB, ten land-cover classes"),
)
