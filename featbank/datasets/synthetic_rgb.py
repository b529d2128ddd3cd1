"""``synthetic-rgb``: aerial pictures of the procedural landscape. Needs no file and no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featbank.bands import RGB
from featbank.datasets.chip_layout import CHIP_PX
from featbank.datasets.synthetic.optics import noise_key, optical_scene
from featbank.datasets.synthetic.samples import Sensor, synthetic_spec
from featbank.image import Grid, Image
from featbank.landscape.view import DN_PER_REFLECTANCE, digitise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.landscape.landscape import Landscape

_GRID = Grid(
    name="rgb", bands=tuple(band.name for band in RGB), dtype="uint8", size_px=(CHIP_PX, CHIP_PX)
)
# Sets this sensor's noise apart from that of the others.
_NOISE = 3
# Reflectance that is white: where Sentinel-2's true colour image of level 2A saturates (its DN of
# 3558). The curve below it is a square root, near to the gamma of 2.2 that screens expect and, of
# such curves, the one that every machine computes alike.
WHITE_REFLECTANCE = 0.3558


@dataclass(frozen=True)
class RgbReader:
    """Eight-bit pictures of the procedural landscape.

    Attributes:
        landscape: The ground.
    """

    landscape: Landscape

    def read(self, index: int) -> Image:
        """Pixels of chip ``index``: (3, 120, 120) uint8, red, green, blue."""
        scene = optical_scene(self.landscape, index, RGB)
        return {_GRID.name: tone(digitise(scene, noise_key(self.landscape, index, _NOISE)))}

    def files(self, index: int) -> tuple[str, ...]:
        """None: chips are computed."""
        return ()


def tone(numbers: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """DN to eight bits: 255 times the square root of reflectance over ``WHITE_REFLECTANCE``.

    Args:
        numbers: DN, reflectance × 10,000.
    """
    share = numbers.astype(np.float32) / np.float32(WHITE_REFLECTANCE * DN_PER_REFLECTANCE)
    grey: NDArray[np.uint8] = np.rint(255 * np.sqrt(np.minimum(share, 1))).astype(np.uint8)
    return grey


SPECS = (
    synthetic_spec(
        Sensor(
            name="synthetic-rgb",
            title="Aerial RGB view of a procedural landscape; any number of chips, no files",
            bands=RGB,
            grids=(_GRID,),
            processing="8-bit RGB, square root of reflectance, white at 0.3558 (procedural)",
            reader=RgbReader,
            version="rgb v1",
        )
    ),
)
