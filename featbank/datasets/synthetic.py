"""Synthetic imagery: the procedural landscape as sensors see it. Needs no file and no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.bands import SENTINEL2_L2A
from featbank.datasets.chip_layout import (
    BLOCK_CHIPS,
    BLOCK_SIDE,
    CHIP_PX,
    block_window,
    chip_centres_m,
    chip_window,
)
from featbank.datasets.dataset import Dataset, DatasetRequest, DatasetSpec
from featbank.datasets.landscape import PIXEL_M, Landscape, dominant_class
from featbank.datasets.landscape_noise import derive_key
from featbank.datasets.landscape_view import box_mean, chip_light, digitise
from featbank.datasets.signatures import CLASS_NAMES
from featbank.errors import UsageError
from featbank.image import Grid, Image
from featbank.samples import LabelSet, Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Raise with every change of pixels or labels: it stands in the origins, so that stores tell.
GENERATOR_VERSION = 1
DEFAULT_CHIPS = 2000
_KEY_LIGHT, _KEY_NOISE = 101, 102

_GSD_M = (10, 20, 60)
_BANDS = tuple(band for gsd in _GSD_M for band in SENTINEL2_L2A if band.gsd_m == gsd)
_GRIDS = tuple(
    Grid(
        name=f"{gsd}m",
        bands=tuple(band.name for band in _BANDS if band.gsd_m == gsd),
        dtype="uint16",
        size_px=(CHIP_PX * PIXEL_M // gsd, CHIP_PX * PIXEL_M // gsd),
    )
    for gsd in _GSD_M
)
_PROCESSING = "Sentinel-2 L2A, DN = reflectance x 10000, no offset (procedural)"
_LICENCE = "CC0-1.0"
_CITATION = "featbank, synthetic-s2: a procedural landscape."


@dataclass(frozen=True, kw_only=True)
class Sentinel2Reader:
    """Sentinel-2 L2A chips of the procedural landscape.

    Attributes:
        landscape: The ground.
    """

    landscape: Landscape

    def read(self, index: int) -> Image:
        """Pixels of chip ``index``: (4, 120, 120), (6, 60, 60) and (2, 20, 20) uint16 DN."""
        ground = self.landscape.ground(chip_window(index))
        scene = self.landscape.reflectance(ground, _BANDS)
        seed = self.landscape.seed
        gain, haze = chip_light(derive_key(seed, _KEY_LIGHT, index), _BANDS)
        scene *= gain[:, None, None]
        scene += haze[:, None, None]
        image = {}
        first = 0
        for gsd, grid in zip(_GSD_M, _GRIDS, strict=True):
            stop = first + len(grid.bands)
            seen = box_mean(scene[first:stop], gsd // PIXEL_M)
            image[grid.name] = digitise(seen, derive_key(seed, _KEY_NOISE, index, gsd))
            first = stop
        return image


def open_sentinel2(request: DatasetRequest) -> Dataset:
    """The Sentinel-2 view of the landscape.

    Args:
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
        name="synthetic-s2",
        root=None,
        bands=_BANDS,
        grids=_GRIDS,
        samples=synthetic_samples(landscape, chips),
        reader=Sentinel2Reader(landscape=landscape),
        processing=_PROCESSING,
        licence=_LICENCE,
        citation=_CITATION,
    )


def synthetic_samples(landscape: Landscape, chips: int) -> Samples:
    """Ids, labels, groups and places of the first chips; the same for every sensor."""
    indices = np.arange(chips)
    ids = np.array([f"chip-{index:07d}" for index in indices])
    origin = f"featbank landscape v{GENERATOR_VERSION}, seed {landscape.seed}, {CHIP_PX} px"
    return Samples(
        ids=ids,
        origins=np.array([f"{origin}, chip {index}" for index in indices]),
        labels={
            "dominant": LabelSet(classes=CLASS_NAMES, codes=dominant_classes(landscape, chips))
        },
        group=np.array([f"block-{index // BLOCK_CHIPS:06d}" for index in indices]),
        lonlat=_lonlat(indices),
    )


def dominant_classes(landscape: Landscape, chips: int) -> NDArray[np.int32]:
    """(N,) the class with the largest area of each chip's 10 m cover map."""
    codes: list[int] = []
    for block in range(-(-chips // BLOCK_CHIPS)):
        cover = landscape.cover(block_window(block))
        boxes = cover.reshape(BLOCK_SIDE, CHIP_PX, BLOCK_SIDE, CHIP_PX).swapaxes(1, 2)
        codes.extend(dominant_class(chip) for row in boxes for chip in row)
    return np.array(codes[:chips], dtype=np.int32)


def _lonlat(indices: NDArray[np.int64]) -> NDArray[np.float64]:
    from pyproj import Transformer

    to_degrees = Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True)
    easting, northing = chip_centres_m(indices).T
    return np.stack(to_degrees.transform(easting, northing), axis=1)


SPECS = (
    DatasetSpec(
        name="synthetic-s2",
        title="Sentinel-2 view of a procedural landscape; any number of chips, no files",
        bands=_BANDS,
        size=f"{DEFAULT_CHIPS} chips of 1.2 km, or any number",
        processing=_PROCESSING,
        licence=_LICENCE,
        citation=_CITATION,
        open=open_sentinel2,
        needs_root=False,
        default_chips=DEFAULT_CHIPS,
    ),
)
