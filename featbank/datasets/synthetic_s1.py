"""``synthetic-s1``: Sentinel-1 over the procedural landscape. Needs no file and no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.bands import SENTINEL1
from featbank.datasets.chip_layout import CHIP_PX, chip_window
from featbank.datasets.synthetic.samples import Sensor, synthetic_spec
from featbank.image import Grid, Image
from featbank.landscape.noise import derive_key
from featbank.landscape.radar import radar_image, radar_look

if TYPE_CHECKING:
    from featbank.landscape.landscape import Landscape

_KEY_LOOK, _KEY_SPECKLE = 201, 202
_GRID = Grid(
    name="10m",
    bands=tuple(band.name for band in SENTINEL1),
    dtype="float32",
    size_px=(CHIP_PX, CHIP_PX),
)


@dataclass(frozen=True)
class Sentinel1Reader:
    """Sentinel-1 chips of the procedural landscape.

    Attributes:
        landscape: The ground.
    """

    landscape: Landscape

    def read(self, index: int) -> Image:
        """Pixels of chip ``index``: (2, 120, 120) float32 dB, VV and VH, unrounded."""
        seed = self.landscape.seed
        look = radar_look(derive_key(seed, _KEY_LOOK, index))
        key = derive_key(seed, _KEY_SPECKLE, index)
        return {_GRID.name: radar_image(self.landscape, chip_window(index), look, key)}

    def files(self, index: int) -> tuple[str, ...]:
        """None: chips are computed."""
        return ()


SPECS = (
    synthetic_spec(
        Sensor(
            name="synthetic-s1",
            title="Sentinel-1 (VV, VH) view of a procedural landscape; any number of chips",
            bands=SENTINEL1,
            grids=(_GRID,),
            processing="Sentinel-1 IW GRD look, sigma nought in dB, no speckle filter (procedural)",
            reader=Sentinel1Reader,
            version="s1 v1",
        )
    ),
)
