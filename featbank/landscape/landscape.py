"""The procedural landscape: what covers the ground, and what it reflects, anywhere on a plane.

The plane is EPSG:32632 in pixels of 10 m. Cover, structure and reflectance are kept apart, so that
other sensors can look at the same ground. How a sensor sees it (light, haze, noise) is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from featbank.landscape.noise import (
    Window,
    bell,
    derive_key,
    fractal_noise,
    hash_words,
    uniform,
)
from featbank.landscape.parcels import Parcels, parcels
from featbank.landscape.signatures import CLASS_NAMES, CLASSES, MATERIALS, signatures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featbank.bands import Band

PIXEL_M = 10
(WATER, CONIFER, BROADLEAF, GRASSLAND, GREEN_CROP, RIPE_CROP, BARE_SOIL, URBAN, WETLAND, HEATH) = (
    range(len(CLASS_NAMES))
)

# The smooth fields, and the weights of their octaves: lattices of 64, 32, 16 and 8 pixels.
TERRAIN, FARMING, FOREST, SETTLEMENT, GREENNESS, WETNESS, TONE_A, TONE_B = range(8)
_FINEST_PX = 8
_OCTAVES = np.array(
    [
        [1.0, 0.8, 0.50, 0.30],
        [1.0, 0.8, 0.55, 0.30],
        [1.0, 0.9, 0.70, 0.40],
        [0.8, 0.9, 0.60, 0.40],
        [1.0, 0.7, 0.50, 0.30],
        [1.0, 0.7, 0.50, 0.30],
        [1.0, 0.7, 0.30, 0.10],
        [1.0, 0.7, 0.30, 0.10],
    ],
    dtype=np.float32,
)
# Thresholds of the fields, in standard deviations; chosen so that every class is the dominant one
# in 5 to 15 % of the chips.
_LAKE, _MARSH, _MOOR, _TOWN, _FARM = -1.35, -0.85, 1.3, 1.1, -0.4
_CROPS = np.array([GRASSLAND, GREEN_CROP, RIPE_CROP, BARE_SOIL], dtype=np.uint8)
_CROP_SHARES = np.array([0.27, 0.51, 0.76])
# Share of the parcels that bear their parish's crop.
_PARISH_SHARE = 0.65
# Share of building plots (a ninth of a parcel) that bear a material, in the busiest parish.
_PLOT_SHARE = 0.08
_PLOT_SPLIT = 3
# Share of pixels that are an object of their own.
_OBJECT_SHARE = 0.001
# Each class drifts along its own direction in the space of four smooth fields; any irrational
# turns do, as long as the directions differ.
_DRIFT_TURNS_RAD = (2.4, 1.1)
_KEY_FIELDS, _KEY_PARCELS, _KEY_PLOTS, _KEY_GRAIN, _KEY_ROUGH = range(5)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """What stands in a window, before anything looks at it.

    Attributes:
        window: Where.
        cover: (H, W) uint8 indices into ``CLASSES``.
        fields: (8, H, W) smooth fields of mean 0 and variance 1, from ``TERRAIN`` to ``TONE_B``.
        parcel: (H, W) random words, one for each parcel or stand.
    """

    window: Window
    cover: NDArray[np.uint8]
    fields: NDArray[np.float32]
    parcel: NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """A whole landscape, decided by its seed.

    Attributes:
        seed: Any integer.
    """

    seed: int = 0

    def cover(self, window: Window) -> NDArray[np.uint8]:
        """(H, W) indices into ``CLASSES``; the same as ``ground`` gives, at less cost."""
        return self._cover(window, self._fields(window, SETTLEMENT + 1))[0]

    def ground(self, window: Window) -> Ground:
        """What stands in a window; independent of any other window."""
        fields = self._fields(window, len(_OCTAVES))
        cover, parcel = self._cover(window, fields)
        return Ground(window=window, cover=cover, fields=fields, parcel=parcel)

    def plots(self, ground: Ground) -> Parcels:
        """Building plots and blocks: a ninth of a parcel each, in a parcelling of their own."""
        key = derive_key(self.seed, _KEY_PLOTS)
        return parcels(key, ground.window, ground.fields[TERRAIN], split=_PLOT_SPLIT)

    def surface(self, ground: Ground, plots: Parcels | None = None) -> NDArray[np.uint8]:
        """(H, W) uint8: the class, or K + material where a plot stands on it.

        Args:
            ground: What stands in the window.
            plots: What ``plots`` gave for it, where it is at hand.
        """
        plots = plots or self.plots(ground)
        busy = uniform(plots.parish)
        is_site = uniform(plots.parcel) < _PLOT_SHARE * busy * busy
        is_site &= (ground.cover != WATER) & (ground.cover != WETLAND)
        material = (plots.parcel & np.uint64(0xFF)).astype(np.uint8) % np.uint8(len(MATERIALS))
        return np.where(is_site, len(CLASSES) + material, ground.cover)

    def reflectance(self, ground: Ground, bands: tuple[Band, ...]) -> NDArray[np.float32]:
        """(C, H, W) surface reflectance, 0.001 to 1."""
        table = signatures(bands)
        # Look-ups convert their index to intp; once is cheaper than for every band.
        cover, surface = ground.cover.astype(np.intp), self.surface(ground).astype(np.intp)
        light_patch, green_patch = parcel_offsets(ground.parcel)
        light = self._light(ground, light_patch)
        light[surface >= len(CLASSES)] = 1
        greenness = _amplitude("greenness")[cover] * (ground.fields[GREENNESS] + green_patch)
        wetness = _amplitude("wetness")[cover] * ground.fields[WETNESS]
        image = np.empty((len(bands), *cover.shape), dtype=np.float32)
        for band, plane in enumerate(image):
            np.multiply(table.reflectance[:, band].take(surface), light, out=plane)
            plane *= 1 - wetness * table.wetting[band]
            plane += greenness * table.greening[band]
        return np.clip(image, 0.001, 1, out=image)

    def structure(self, window: Window) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
        """What stands on the ground: crowns, houses, tussocks, objects.

        Returns:
            (H, W) a random word of each pixel, and (H, W) structures of about 40 m, a field of
            mean 0 and variance 1.
        """
        keys = [derive_key(self.seed, _KEY_GRAIN), derive_key(self.seed, _KEY_ROUGH)]
        words = hash_words(keys[:1], window.rows, window.columns)[0]
        weights = np.ones((1, 2), dtype=np.float32)
        return words, fractal_noise(keys[1:], window, finest_px=2, weights=weights)[0]

    def _fields(self, window: Window, count: int) -> NDArray[np.float32]:
        keys = [derive_key(self.seed, _KEY_FIELDS, number) for number in range(count)]
        return fractal_noise(keys, window, finest_px=_FINEST_PX, weights=_OCTAVES[:count])

    def _cover(
        self, window: Window, fields: NDArray[np.float32]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        terrain = fields[TERRAIN]
        land = parcels(derive_key(self.seed, _KEY_PARCELS), window, terrain)
        wood = np.where(fields[FOREST] > 0, np.uint8(CONIFER), np.uint8(BROADLEAF))
        cover = np.where(fields[FARMING] > _FARM, _crops(land), wood)
        cover[fields[SETTLEMENT] > _TOWN] = URBAN
        cover[terrain > _MOOR] = HEATH
        cover[terrain < _MARSH] = WETLAND
        cover[terrain < _LAKE] = WATER
        return cover, land.parcel

    def _light(self, ground: Ground, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W) brightness around 1: drift, parcels, structures, grain, objects."""
        cover = ground.cover.astype(np.intp)
        words, rough = self.structure(ground.window)
        light = 1 + _amplitude("grain")[cover] * bell(words)
        light += _amplitude("roughness")[cover] * rough
        light *= 1 + _amplitude("patchiness")[cover] * patch
        light *= _drift_factor(cover, ground.fields[GREENNESS:])
        # A few pixels are objects of their own: the rarest words are bright, the next ones shadows.
        chance = uniform(words)
        light[chance < _OBJECT_SHARE] *= np.float32(0.35)
        light[chance < _OBJECT_SHARE / 2] *= np.float32(9)
        return light


def class_areas(cover: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(K,) number of pixels of each class in a cover map."""
    return np.bincount(cover.ravel(), minlength=len(CLASSES))


def dominant_class(cover: NDArray[np.uint8]) -> int:
    """The class with the largest area of a cover map; the first one where two tie."""
    return int(np.argmax(class_areas(cover)))


def _crops(land: Parcels) -> NDArray[np.uint8]:
    """(H, W) what grows on farmed parcels: the parish's crop, or one of the parcel's own."""
    own = land.parcel << np.uint64(24)
    chosen = np.where(uniform(land.parcel) < _PARISH_SHARE, land.parish, own)
    shares = uniform(chosen)
    return _CROPS[np.searchsorted(_CROP_SHARES, shares)]


def parcel_offsets(words: NDArray[np.uint64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two independent uniform offsets of mean 0 and variance 1 from each parcel's word."""
    scale = np.float32(12**0.5 / 65536)
    low = (words & np.uint64(0xFFFF)).astype(np.float32)
    high = ((words >> np.uint64(16)) & np.uint64(0xFFFF)).astype(np.float32)
    return (low - np.float32(32767.5)) * scale, (high - np.float32(32767.5)) * scale


def _drift_factor(cover: NDArray[np.intp], fields: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) brightness of each class as it drifts along the fields; always positive."""
    drift = np.zeros(cover.shape, dtype=np.float32)
    for direction, field in zip(_drift(), fields, strict=True):
        drift += direction[cover] * field
    # (1 + x / 4)^4 in place of the exponential: products are the same on every machine.
    factor: NDArray[np.float32] = 1 + drift / np.float32(4)
    factor *= factor
    factor *= factor
    return factor


@lru_cache(maxsize=16)
def _amplitude(name: str) -> NDArray[np.float32]:
    """(K,) one of the amplitudes of ``CoverClass`` over all classes."""
    return np.array([getattr(cover, name) for cover in CLASSES], dtype=np.float32)


@lru_cache(maxsize=1)
def _drift() -> NDArray[np.float32]:
    """(4, K) how the brightness of each class follows the four fields from ``GREENNESS`` on."""
    return (drift_turns() * _amplitude("tone") / 2**0.5).astype(np.float32)


def drift_turns() -> NDArray[np.float64]:
    """(4, K) each class's own direction, of length √2, among the fields from ``GREENNESS`` on."""
    number = np.arange(len(CLASSES))
    turns = [function(number * turn) for turn in _DRIFT_TURNS_RAD for function in (np.cos, np.sin)]
    return np.array(turns)
