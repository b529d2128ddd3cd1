"""How a C-band radar sees the landscape: geometry, echoes, resolution, noise floor, speckle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from featbank.landscape.decibel import to_decibel, to_power
from featbank.landscape.landscape import (
    GREENNESS,
    TERRAIN,
    URBAN,
    WATER,
    WETNESS,
    Ground,
    Landscape,
    drift_turns,
    parcel_offsets,
)
from featbank.landscape.noise import Window, bell, hash_words, uniform
from featbank.landscape.parcels import frame
from featbank.landscape.radar_signatures import (
    POLARISATIONS,
    SHRUB_START,
    amplitudes,
    levels,
)
from featbank.landscape.speckle import MARGIN_PX, blur, speckle

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Incidence of IW, 29.1° to 46° over the swath (ESA Sentinel-1 user guide, acquisition modes).
_INCIDENCE_DEG = (29.1, 46.0)
_NOMINAL_DEG = 38.0
# Radiometric accuracy is 1 dB at three deviations, the noise equivalent -22 dB or better (ESA
# Sentinel-1 SAR technical guide, instrument, performance); 2 dB better is our choice.
_CALIBRATION_DB = 1.0 / 3
NOISE_FLOOR_DB = -24.0
# Amplitudes from here on are ours. Slopes that face the radar are brighter: dB per unit of the
# terrain field and pixel. Steps in height: dB per metre between two pixels.
_SLOPE_DB, _STEP_DB = 8.0, 0.10
# Blocks of towns whose fronts face the radar: the cube of a uniform number, less its mean.
_BLOCK_DB = 9.0
# Corners, masts and fences: share of pixels in towns and elsewhere, and what they add.
_CORNER_SHARE, _OBJECT_SHARE = 0.05, 0.002
_CORNER_DB = (9.0, 7.0)
# Nothing sends back more, so that even the brightest speckle stays below 20 dB.
_STRONGEST_DB = 10.0
# One pixel for the slopes, one for the resolution.
MARGIN = 1 + MARGIN_PX
_INSIDE = (..., slice(1, -1), slice(1, -1))


@dataclass(frozen=True, kw_only=True)
class RadarLook:
    """The geometry and calibration of one chip's acquisition.

    Attributes:
        incidence_deg: Angle of incidence.
        side: 1 where the radar looks east (ascending), -1 where it looks west.
        offset_db: (2,) error of calibration of VV and VH.
        moisture: How wet the day is, in units of the wetness field.
        wind: How rough the water is, in units of its tone.
    """

    incidence_deg: np.float32
    side: int
    offset_db: NDArray[np.float32]
    moisture: np.float32
    wind: np.float32


def radar_look(key: int) -> RadarLook:
    """The look of one chip, from its key."""
    words = hash_words([key], np.arange(1), np.arange(4 + POLARISATIONS))[0, 0]
    low, high = _INCIDENCE_DEG
    return RadarLook(
        incidence_deg=np.float32(low) + np.float32(high - low) * uniform(words[:1])[0],
        side=1 if int(words[1]) & 1 else -1,
        offset_db=bell(words[4:]) * np.float32(_CALIBRATION_DB),
        moisture=bell(words[2:3])[0],
        wind=bell(words[3:4])[0],
    )


def radar_image(
    landscape: Landscape, window: Window, look: RadarLook, key: int
) -> NDArray[np.float32]:
    """(2, H, W) float32 sigma nought of VV and VH in dB, with noise floor and speckle.

    Args:
        landscape: The ground.
        window: Where.
        look: Geometry and calibration.
        key: Key of the speckle.
    """
    wide = Window(
        row=window.row - MARGIN,
        column=window.column - MARGIN,
        height=window.height + 2 * MARGIN,
        width=window.width + 2 * MARGIN,
    )
    power = blur(to_power(backscatter(landscape, landscape.ground(wide), look)))
    power += _noise_floor()
    power *= speckle(key, *power.shape)
    return to_decibel(power)


def backscatter(landscape: Landscape, ground: Ground, look: RadarLook) -> NDArray[np.float32]:
    """(2, H - 2, W - 2) what the ground sends back in dB, one pixel less on each side."""
    cover = ground.cover[_INSIDE].astype(np.intp)
    plots = landscape.plots(ground)
    surface = landscape.surface(ground, plots)[_INSIDE].astype(np.intp)
    image = levels().take(surface, axis=1)
    image += _classwise(ground, cover, look)
    words, rough = landscape.structure(ground.window)
    image += _texture(ground, cover, rough[_INSIDE])
    image += _corners(uniform(words[_INSIDE]), cover)
    is_town = cover == URBAN
    image += np.where(is_town, _block_fronts(plots.parcel[_INSIDE]), np.float32(0))
    image += _relief(ground, look.side)
    image += look.offset_db[:, None, None]
    return np.minimum(image, np.float32(_STRONGEST_DB), out=image)


def _classwise(ground: Ground, cover: NDArray[np.intp], look: RadarLook) -> NDArray[np.float32]:
    """(2, H, W) how the classes depart from their level: drift, water, plants, parcels, angle."""
    fields = ground.fields[_INSIDE]
    patch, green_patch = parcel_offsets(ground.parcel[_INSIDE])
    drift = amplitudes("per_degree")[0] * (look.incidence_deg - np.float32(_NOMINAL_DEG))
    drift[WATER] += amplitudes("tone")[0, WATER] * look.wind
    shared = drift[cover]
    for direction, field in zip(_drift(), fields[GREENNESS:], strict=True):
        shared += direction[cover] * field
    shared += amplitudes("patchiness")[0][cover] * patch
    shared += amplitudes("furrows")[0][cover] * (patch * patch - 1)
    image: NDArray[np.float32] = amplitudes("wetness").take(cover, axis=1) * (
        fields[WETNESS] + look.moisture
    )
    image += amplitudes("greenness").take(cover, axis=1) * (fields[GREENNESS] + green_patch)
    image += shared
    return image


def _texture(
    ground: Ground, cover: NDArray[np.intp], rough: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(H, W) crowns, shrubs, pools and strips, in dB."""
    image: NDArray[np.float32] = amplitudes("roughness")[0][cover] * rough
    beyond = np.abs(rough) - np.float32(SHRUB_START)
    beyond = np.maximum(beyond, 0)
    high, low = amplitudes("shrubs")[0][cover], amplitudes("pools")[0][cover]
    image += np.where(rough > 0, high, -low) * beyond
    image += amplitudes("strips")[0][cover] * _strips(ground, cover)
    return image


def _strips(ground: Ground, cover: NDArray[np.intp]) -> NDArray[np.float32]:
    """(H, W) a triangular wave of variance 1 along one of the sides of each parcel."""
    along, across = frame(ground.window, ground.fields[TERRAIN])
    is_turned = (ground.parcel[_INSIDE] & np.uint64(1)).astype(bool)
    place = np.where(is_turned, along[_INSIDE], across[_INSIDE])
    place /= amplitudes("strip_px")[0][cover]
    place -= np.floor(place)
    wave: NDArray[np.float32] = np.abs(place * 4 - 2).astype(np.float32) - 1
    return wave * np.float32(3**0.5)


def _corners(chance: NDArray[np.float32], cover: NDArray[np.intp]) -> NDArray[np.float32]:
    """(2, H, W) what corner reflectors add."""
    share = np.where(cover == URBAN, np.float32(_CORNER_SHARE), np.float32(_OBJECT_SHARE))
    gain = np.array(_CORNER_DB, dtype=np.float32)
    return (chance < share) * gain[:, None, None]


def _block_fronts(words: NDArray[np.uint64]) -> NDArray[np.float32]:
    """(H, W) how the blocks of towns differ, in dB, of mean 0."""
    # The lowest and the highest bits choose materials and building plots.
    part = ((words >> np.uint64(8)) & np.uint64(0xFFFF)).astype(np.float32)
    part *= np.float32(1 / 65536)
    return (part * part * part - np.float32(0.25)) * np.float32(_BLOCK_DB)


def _relief(ground: Ground, side: int) -> NDArray[np.float32]:
    """(H, W) brighter slopes and edges that face the radar, darker ones behind, in dB."""
    surface = ground.fields[TERRAIN] * np.float32(_SLOPE_DB)
    surface += (amplitudes("height_m")[0] * np.float32(_STEP_DB))[ground.cover]
    # Along the rows of pixels, which is nearly the direction of the beam.
    rise: NDArray[np.float32] = surface[1:-1, 2:] - surface[1:-1, :-2]
    rise *= np.float32(0.5 * side)
    return rise


@lru_cache(maxsize=1)
def _drift() -> NDArray[np.float32]:
    """(4, K) how each class follows the four fields from ``GREENNESS`` on, in dB."""
    return np.asarray(drift_turns() * amplitudes("tone")[0] / 2**0.5, dtype=np.float32)


@lru_cache(maxsize=1)
def _noise_floor() -> np.float32:
    return np.float32(to_power(np.array([NOISE_FLOOR_DB], dtype=np.float32))[0])
