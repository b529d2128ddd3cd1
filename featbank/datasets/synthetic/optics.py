"""What the optical sensors over the procedural landscape share: one light, one haze for a chip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featbank.datasets.chip_layout import chip_window
from featbank.landscape.noise import derive_key
from featbank.landscape.view import chip_light

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from featbank.bands import Band
    from featbank.landscape.landscape import Landscape

_KEY_LIGHT, _KEY_NOISE = 101, 102


def optical_scene(landscape: Landscape, index: int, bands: tuple[Band, ...]) -> NDArray[np.float32]:
    """(C, H, W) reflectance of chip ``index`` at 10 m, under its light and haze, without noise."""
    ground = landscape.ground(chip_window(index))
    scene = landscape.reflectance(ground, bands)
    gain, haze = chip_light(derive_key(landscape.seed, _KEY_LIGHT, index), bands)
    scene *= gain[:, None, None]
    scene += haze[:, None, None]
    return scene


def noise_key(landscape: Landscape, index: int, grid: int) -> int:
    """Key of the sensor's noise on one grid of chip ``index``."""
    return derive_key(landscape.seed, _KEY_NOISE, index, grid)
