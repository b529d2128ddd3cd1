"""``synthetic-ohs``: Zhuhai-1 OHS, 32 bands, over the procedural landscape. Needs no file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featbank.bands import WHU_OHS
from featbank.datasets.chip_layout import CHIP_PX
from featbank.datasets.synthetic.optics import noise_key, optical_scene
from featbank.datasets.synthetic.samples import Sensor, synthetic_spec
from featbank.image import Grid, Image
from featbank.landscape.view import digitise

if TYPE_CHECKING:
    from featbank.landscape.landscape import Landscape

_GRID = Grid(
    name="10m",
    bands=tuple(band.name for band in WHU_OHS),
    dtype="uint16",
    size_px=(CHIP_PX, CHIP_PX),
)
# Sets this sensor's noise apart from that of the others.
_NOISE = 32


@dataclass(frozen=True)
class OhsReader:
    """Hyperspectral chips of the procedural landscape, laid out as WHU-OHS is.

    Attributes:
        landscape: The ground.
    """

    landscape: Landscape

    def read(self, index: int) -> Image:
        """Pixels of chip ``index``: (32, 120, 120) uint16 DN."""
        scene = optical_scene(self.landscape, index, WHU_OHS)
        return {_GRID.name: digitise(scene, noise_key(self.landscape, index, _NOISE))}

    def files(self, index: int) -> tuple[str, ...]:
        """None: chips are computed."""
        return ()


SPECS = (
    synthetic_spec(
        Sensor(
            name="synthetic-ohs",
            title="Hyperspectral (OHS, 32 bands) view of a procedural landscape; no files",
            bands=WHU_OHS,
            grids=(_GRID,),
            processing="surface reflectance, DN = reflectance x 10000, no offset (procedural)",
            reader=OhsReader,
            version="ohs v1",
        )
    ),
)
