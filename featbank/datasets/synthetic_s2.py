"""``synthetic-s2``: Sentinel-2 over the procedural landscape. Needs no file and no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.bands import SENTINEL2_L2A
from featbank.datasets.chip_layout import CHIP_PX
from featbank.datasets.synthetic.optics import noise_key, optical_scene
from featbank.datasets.synthetic.samples import Sensor, synthetic_spec
from featbank.image import Grid, Image
from featbank.landscape.landscape import PIXEL_M, Landscape
from featbank.landscape.view import box_mean, digitise

if TYPE_CHECKING:
    from featbank.image import Array

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


@dataclass(frozen=True)
class Sentinel2Reader:
    """Sentinel-2 L2A chips of the procedural landscape.

    Attributes:
        landscape: The ground.
    """

    landscape: Landscape

    def read(self, index: int) -> Image:
        """Pixels of chip ``index``: (4, 120, 120), (6, 60, 60) and (2, 20, 20) uint16 DN."""
        scene = optical_scene(self.landscape, index, _BANDS)
        image: dict[str, Array] = {}
        first = 0
        for gsd, grid in zip(_GSD_M, _GRIDS, strict=True):
            stop = first + len(grid.bands)
            seen = box_mean(scene[first:stop], gsd // PIXEL_M)
            image[grid.name] = digitise(seen, noise_key(self.landscape, index, gsd))
            first = stop
        return image

    def files(self, index: int) -> tuple[str, ...]:
        """None: chips are computed."""
        return ()


SPECS = (
    synthetic_spec(
        Sensor(
            name="synthetic-s2",
            title="Sentinel-2 view of a procedural landscape; any number of chips, no files",
            bands=_BANDS,
            grids=_GRIDS,
            processing="Sentinel-2 L2A, DN = reflectance x 10000, no offset (procedural)",
            reader=Sentinel2Reader,
        )
    ),
)
