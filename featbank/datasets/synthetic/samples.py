"""Ids, places and labels of the procedural landscape's chips: the same for every sensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.datasets.chip_layout import (
    BLOCK_CHIPS,
    BLOCK_SIDE,
    CHIP_PX,
    block_window,
    chip_centres_m,
)
from featbank.datasets.dataset import Dataset, DatasetRequest, DatasetSpec
from featbank.errors import UsageError
from featbank.landscape.landscape import Landscape, class_areas
from featbank.landscape.signatures import CLASS_NAMES
from featbank.samples import LabelSet, Samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from featbank.bands import Band
    from featbank.image import Grid, Reader

# Raise with every change of the ground: it stands in the origins, so that stores tell.
GENERATOR_VERSION = 1
DEFAULT_CHIPS = 2000
# A class that covers less is not told. BigEarthNet's chips are as large (1.2 km), and its labels
# rest on CORINE, which maps nothing below 25 ha, or 17 % of a chip (Sumbul et al. 2019,
# doi:10.1109/IGARSS.2019.8900532). The number is ours: at 10 % chips bear 3.7 classes on average
# and each class 32 to 50 % of the chips; at 5 % wetland would be in 71 % of them.
COVER_SHARE = 0.10
_LICENCE = "CC0-1.0"


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """What makes one sensor's view of the landscape a dataset of its own.

    Attributes:
        name: Name of the dataset, such as ``synthetic-s2``.
        title: One line on what it is.
        bands: All bands, in the order of ``grids``.
        grids: How the bands of a chip are laid out in arrays.
        processing: Processing level in words.
        reader: Makes the reader of a landscape.
        version: What the origins say of the sensor's own version; raised with every change of its
            pixels, empty for the first.
    """

    name: str
    title: str
    bands: tuple[Band, ...]
    grids: tuple[Grid, ...]
    processing: str
    reader: Callable[[Landscape], Reader]
    version: str = ""


def synthetic_spec(sensor: Sensor) -> DatasetSpec:
    """The catalog entry of one sensor's view of the landscape."""
    return DatasetSpec(
        name=sensor.name,
        title=sensor.title,
        bands=sensor.bands,
        size=f"{DEFAULT_CHIPS} chips of 1.2 km, or any number",
        processing=sensor.processing,
        licence=_LICENCE,
        citation=_citation(sensor),
        open=lambda request: open_synthetic(sensor, request),
        needs_root=False,
        default_chips=DEFAULT_CHIPS,
    )


def open_synthetic(sensor: Sensor, request: DatasetRequest) -> Dataset:
    """One sensor's view of the landscape.

    Args:
        sensor: Which sensor.
        request: ``chips`` is the number of chips, at least 1; 2,000 where it is None.

    Raises:
        UsageError: Fewer than one chip is asked for.
    """
    chips = DEFAULT_CHIPS if request.chips is None else request.chips
    if chips < 1:
        raise UsageError(
            "chips", f"{chips} are asked for", "at least 1", "Ask for one chip or more."
        )
    landscape = Landscape()
    return Dataset(
        name=sensor.name,
        root=None,
        bands=sensor.bands,
        grids=sensor.grids,
        samples=synthetic_samples(landscape, chips, sensor_version=sensor.version),
        reader=sensor.reader(landscape),
        processing=sensor.processing,
        licence=_LICENCE,
        citation=_citation(sensor),
    )


def synthetic_samples(landscape: Landscape, chips: int, *, sensor_version: str = "") -> Samples:
    """Ids, labels, groups and places of the first chips; equal ids are the same ground.

    Args:
        landscape: The ground.
        chips: Number of chips.
        sensor_version: What the origins say of the sensor.
    """
    indices = np.arange(chips)
    parts = (f"featbank landscape v{GENERATOR_VERSION}", f"seed {landscape.seed}", f"{CHIP_PX} px")
    origin = ", ".join((*parts, sensor_version) if sensor_version else parts)
    return Samples(
        ids=np.array([f"chip-{index:07d}" for index in indices]),
        origins=np.array([f"{origin}, chip {index}" for index in indices]),
        labels=cover_labels(landscape, chips),
        group=np.array([f"block-{index // BLOCK_CHIPS:06d}" for index in indices]),
        lonlat=_lonlat(indices),
    )


def cover_labels(landscape: Landscape, chips: int) -> dict[str, LabelSet]:
    """Label sets that follow from the 10 m cover map of each chip.

    Returns:
        ``dominant``, (N,) int32: the class with the largest area, the first one where two tie.
        ``cover``, (N, K) int8: 1 where a class covers at least ``COVER_SHARE`` of the chip.
    """
    areas = chip_areas(landscape, chips)
    return {
        "dominant": LabelSet(classes=CLASS_NAMES, codes=areas.argmax(axis=1).astype(np.int32)),
        "cover": LabelSet(
            classes=CLASS_NAMES, codes=(areas >= COVER_SHARE * CHIP_PX**2).astype(np.int8)
        ),
    }


def chip_areas(landscape: Landscape, chips: int) -> NDArray[np.int64]:
    """(N, K) number of pixels that each class covers, in one pass over the blocks."""
    areas: list[NDArray[np.int64]] = []
    for block in range(-(-chips // BLOCK_CHIPS)):
        cover = landscape.cover(block_window(block))
        boxes = cover.reshape(BLOCK_SIDE, CHIP_PX, BLOCK_SIDE, CHIP_PX).swapaxes(1, 2)
        areas.extend(class_areas(chip) for row in boxes for chip in row)
    return np.array(areas[:chips])


def _citation(sensor: Sensor) -> str:
    return f"featbank, {sensor.name}: a procedural landscape."


def _lonlat(indices: NDArray[np.int64]) -> NDArray[np.float64]:
    from pyproj import Transformer

    to_degrees = Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True)
    easting, northing = chip_centres_m(indices).T
    return np.stack(to_degrees.transform(easting, northing), axis=1)
